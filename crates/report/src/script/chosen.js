"use strict";
// What a reader has chosen, kept in the page's address: it survives a reload, and a link hands it on.
const chosen = (() => {
  const said = location.hash.slice(1);
  const all = new URLSearchParams(said.includes("=") ? said : "");
  const keep = () => history.replaceState(null, "", all.size ? `#${all}` : `${location.pathname}${location.search}`);
  return {
    get: (name) => all.get(name),
    // Nothing, or an empty text, is what the page shows by itself.
    set: (name, value) => {
      if (value) all.set(name, value);
      else all.delete(name);
      keep();
    },
    // A link within the page takes the address for itself.
    keep,
  };
})();
