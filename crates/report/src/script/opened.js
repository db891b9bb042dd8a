// What a reader has opened stays open when the page is loaded again.
{
  const all = [...document.querySelectorAll("details")];
  // By its place among those of the same section: what another section gains does not move it.
  const name = (details) => {
    const section = details.closest("section, figure[id]");
    const siblings = [...(section ?? document).querySelectorAll("details")];
    return `${section?.id ?? ""}.${siblings.indexOf(details)}`;
  };
  const names = new Map(all.map((details) => [details, name(details)]));
  const before = new Set((chosen.get("open") ?? "").split(" "));
  for (const details of all) if (before.has(names.get(details))) details.open = true;
  const usual = new Map(all.map((details) => [details, details.open && !before.has(names.get(details))]));
  document.addEventListener("toggle", () => {
    const open = all.filter((details) => details.open && !usual.get(details));
    chosen.set("open", open.map((details) => names.get(details)).join(" "));
  }, true);
}
