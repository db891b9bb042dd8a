// Rows of a table under a heading for every value of a setting, a seed or a state.
const grouping = (() => {
  const read = (id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");
  const settings = read("groups") ?? [];
  const labels = (read("leaves")?.cells ?? []).map(({ label }) => label);

  // Which value a row has, and its place among the values; nothing of a row that stands for no cell.
  const bySetting = ({ name, values, cells }) => ({
    name, of: (row) => [cells[row.dataset.cell], values[cells[row.dataset.cell]]],
  });
  const ofRuns = (table, rows) => {
    const heads = [...table.tHead.rows].at(-1).cells;
    const state = [...heads].findIndex((head) => head.textContent.trim() === "state");
    const word = (row) => (row.cells[state]?.querySelector(".state") ?? row.cells[state])?.textContent.trim();
    const words = [...new Set(rows.map(word))];
    return [
      { name: "cell", of: (row) => [Number(row.dataset.cell), labels[row.dataset.cell]] },
      { name: "seed", of: (row) => [Number(row.dataset.seed), row.dataset.seed] },
      ...(state < 0 ? [] : [{ name: "state", of: (row) => [words.indexOf(word(row)), word(row)] }]),
    ];
  };

  // What puts rows together, and not all of them. Two of one name are told apart.
  const ways = (table) => {
    const rows = sorting.rows(table);
    if (!rows.length || rows.some((row) => row.dataset.cell === undefined)) return [];
    const isOfRuns = rows.every((row) => row.dataset.seed !== undefined);
    const all = [...(isOfRuns ? ofRuns(table, rows) : []), ...settings.map(bySetting)];
    const taken = new Set();
    return all.filter(({ of }) => {
      const count = new Set(rows.map((row) => of(row)[1])).size;
      return count > 1 && count < rows.length;
    }).map(({ name, of }) => {
      let own = name;
      for (let more = 2; taken.has(own); more += 1) own = `${name} (${more})`;
      taken.add(own);
      return { name: own, of };
    });
  };

  const headed = (table, way, said) => {
    const body = document.createElement("tbody");
    const heading = document.createElement("th");
    heading.scope = "rowgroup";
    heading.colSpan = [...[...table.tHead.rows].at(-1).cells].reduce((sum, cell) => sum + cell.colSpan, 0);
    const words = document.createElement("span");
    const count = document.createElement("span");
    count.className = "quiet";
    words.append(`${way.name}: ${said} `, count);
    heading.append(words);
    const row = body.insertRow();
    row.className = "heading";
    row.append(heading);
    body.dataset.group = said;
    return body;
  };

  // Without a way all rows are in one body again.
  const lay = (table, way) => {
    const rows = sorting.rows(table);
    const groups = new Map();
    for (const row of rows) {
      const [place, said] = way ? way.of(row) : [0, ""];
      if (!groups.has(said)) groups.set(said, { place, rows: [] });
      groups.get(said).rows.push(row);
    }
    const bodies = [...groups].sort(([, a], [, b]) => a.place - b.place).map(([said, { rows }]) => {
      const body = way ? headed(table, way, said) : document.createElement("tbody");
      body.append(...rows);
      return body;
    });
    const [first, ...others] = table.tBodies;
    first.replaceWith(...bodies);
    for (const body of others) body.remove();
    table.dataset.grouped = way?.name ?? "";
    sorting.again(table);
    count(table);
  };

  // A group that the filter leaves nothing of is not there.
  const count = (table) => {
    for (const body of table.tBodies) {
      const own = [...body.rows].filter((row) => !row.matches(".heading"));
      const left = own.filter((row) => !row.hidden).length;
      const said = body.querySelector(".heading .quiet");
      body.hidden = said !== null && left === 0;
      const rows = own.length === 1 ? "1 row" : `${own.length} rows`;
      if (said) said.textContent = left < own.length ? `${left} of ${rows}` : rows;
    }
  };

  // A choice of what to group by; nothing where nothing puts rows together.
  const choice = (table, name) => {
    const all = ways(table);
    if (!all.length) return null;
    const select = document.createElement("select");
    select.append(new Option("nothing", ""), ...all.map((way) => new Option(way.name, way.name)));
    const apply = () => {
      lay(table, all.find((way) => way.name === select.value));
      chosen.set(`group ${name}`, select.value);
    };
    select.addEventListener("change", apply);
    const before = chosen.get(`group ${name}`);
    if (all.some((way) => way.name === before)) {
      select.value = before;
      apply();
    }
    const label = document.createElement("label");
    label.append("Group by ", select);
    return label;
  };

  return { choice, count };
})();
