// What a reader has opened stays open when the page is loaded again.
const opened = (() => {
  const all = [...document.querySelectorAll("details")];
  const text = (node) => (node?.textContent ?? "").trim().replace(/\s+/g, "_");
  // Beside a caption stands what grows: the other seeds of a run's curve.
  const caption = (figure) => [...(figure?.querySelector("figcaption")?.childNodes ?? [])]
    .filter((it) => !it.matches?.(".quiet, .swatch")).map(text).join("");
  // By what it says and where (its section, or its run), not by its place: a live page gains others before
  // it. What grows with the sweep is left out: how many there are, how a run ended, the flags of a row.
  const label = (details) => {
    const within = details.parentElement.closest("details[id], section[id]")?.id ?? "";
    const row = details.closest("tr");
    const said = text(row ? row.cells[0] : details.querySelector("summary"));
    const words = said.replace(/:_.*/, "").replace(/^\d+_more_metrics?/, "more_metrics");
    return [within, caption(details.closest("figure")), words].filter(Boolean).join(".");
  };
  const names = new Map();
  const counts = new Map();
  for (const details of all) {
    const said = details.id || label(details);
    counts.set(said, (counts.get(said) ?? 0) + 1);
    names.set(details, counts.get(said) > 1 ? `${said}.${counts.get(said)}` : said);
  }
  const before = new Set((chosen.get("open") ?? "").split(" ").filter(Boolean));
  for (const details of all) if (before.has(names.get(details))) details.open = true;
  const usual = new Map(all.map((details) => [details, details.open && !before.has(names.get(details))]));
  const here = new Set(names.values());
  const elsewhere = [...before].filter((name) => !here.has(name));
  document.addEventListener("toggle", () => {
    const open = all.filter((details) => details.open && !usual.get(details));
    chosen.set("open", [...open.map((details) => names.get(details)), ...elsewhere].join(" "));
  }, true);
  return { name: (details) => names.get(details) };
})();
