"use strict";
// What a reader has chosen, kept in the page's address: it survives a reload, and a link hands it on.
const chosen = (() => {
  const said = location.hash.slice(1);
  const all = new URLSearchParams(said.includes("=") ? said : "");
  const keep = () => {
    // A link to a section stays as it is while nothing is chosen.
    if (!all.size && !location.hash.includes("=")) return;
    try {
      history.replaceState(null, "", all.size ? `#${all}` : `${location.pathname}${location.search}`);
    } catch {
      // Safari refuses more than a hundred in half a minute; the next choice brings this one along.
    }
  };
  return {
    get: (name) => all.get(name),
    // Nothing, or an empty text, is what the page shows by itself.
    set: (name, value) => {
      // What is only restored, or drawn once more, writes no address.
      if ((all.get(name) ?? "") === value) return;
      if (value) all.set(name, value);
      else all.delete(name);
      keep();
    },
    // A link within the page takes the address for itself.
    keep,
  };
})();
