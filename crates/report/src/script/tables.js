// What a reader does with a table: filter its rows, group them, take it along.
{
  // Where the clipboard is out of reach the text is shown, selected, to be copied by hand.
  const copy = async (said, tools, status, name) => {
    tools.querySelector("textarea")?.remove();
    try {
      await navigator.clipboard.writeText(said);
      status.textContent = `Copied as ${name}.`;
    } catch {
      const area = document.createElement("textarea");
      area.readOnly = true;
      area.value = said;
      area.setAttribute("aria-label", `The table as ${name}`);
      tools.append(area);
      area.select();
      status.textContent = "The browser lets this page copy nothing by itself. The text below is selected: copy it with Ctrl+C (⌘C).";
    }
  };

  const button = (name, action) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = name;
    made.addEventListener("click", action);
    return made;
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    const region = table.closest(".scroll");
    const name = region.getAttribute("aria-label");
    const tools = document.createElement("div");
    tools.className = "tools";
    tools.setAttribute("role", "group");
    tools.setAttribute("aria-label", `${name}: filter, group and copy`);
    const status = document.createElement("span");
    status.setAttribute("role", "status");
    const filter = document.createElement("input");
    filter.type = "search";
    const rows = sorting.rows(table);
    const hasSettings = rows.some((row) => row.dataset.cell !== undefined);
    if (hasSettings) filter.title = "Words that a row has, or a condition on its settings, such as optim.lr_g > 0.001";
    filter.placeholder = hasSettings ? "words, or a condition" : "words in a row";
    const byWords = (said) => {
      const words = said.toLowerCase().split(/\s+/).filter(Boolean);
      return (row) => { const own = row.textContent.toLowerCase(); return words.every((word) => own.includes(word)); };
    };
    const apply = () => {
      const said = filter.value.trim();
      let problem = "";
      try {
        const holds = hasSettings && expression.isOne(said) ? expression.of(said) : byWords(said);
        const left = rows.map((row) => [row, holds(row)]);
        for (const [row, stays] of left) row.hidden = !stays;
      } catch (error) {
        problem = `All rows are shown: ${error.message}.`;
        for (const row of rows) row.hidden = false;
      }
      grouping.count(table);
      const left = rows.filter((row) => !row.hidden).length;
      status.textContent = problem || (said ? `${left} of ${rows.length} rows` : "");
      chosen.set(`filter ${name}`, filter.value.trim());
    };
    filter.addEventListener("input", apply);
    filter.value = chosen.get(`filter ${name}`) ?? "";
    if (filter.value) apply();
    const label = document.createElement("label");
    label.append("Filter ", filter);
    const groups = grouping.choice(table, name);
    const buttons = copying.formats.map(([format, write]) => {
      const made = button(format, () => copy(write(table), tools, status, format));
      made.setAttribute("aria-label", `Copy as ${format}`);
      return made;
    });
    tools.append(label, ...(groups ? [groups] : []), "Copy as ", ...buttons, status);
    region.before(tools);
  }

  const hints = new Map();
  // What is cut by less hides no letter.
  const SLIGHT = 8;
  // All are measured, then all are told: else each would have the page laid out once more.
  const watch = new ResizeObserver((entries) => {
    const found = entries.map(({ target }) => [hints.get(target), target.scrollWidth > target.clientWidth + SLIGHT]);
    for (const [hint, isWide] of found) hint.hidden = !isWide;
  });
  const add = (region) => {
    if (hints.has(region) || region.closest("details:not([open])")) return;
    const hint = document.createElement("p");
    hint.className = "hint";
    hint.hidden = true;
    hint.textContent = "Wider than the page: scroll sideways →";
    region.before(hint);
    hints.set(region, hint);
    watch.observe(region);
  };
  // Most lie in folded parts, two a run: those get theirs when they are first seen.
  document.querySelectorAll(".scroll").forEach(add);
  document.addEventListener("toggle", ({ target }) => {
    if (target.open) target.querySelectorAll(".scroll").forEach(add);
  }, true);
}
