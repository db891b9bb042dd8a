// The page is whole without its scripts. This one sorts tables, each group of rows by itself.
const sorting = (() => {
  const tables = new Map();
  const key = (row, at) => {
    const cell = row.cells[at];
    if (!cell) return "";
    return cell.dataset.sort ?? cell.textContent.trim();
  };
  // A cell over several columns moves those after it: look a column up by place, not by index.
  const cellAt = (row, column) => {
    let place = 0;
    for (const cell of row.cells) {
      if (column < place + cell.colSpan) return cell.cellIndex;
      place += cell.colSpan;
    }
    return -1;
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    // As the page has them.
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
    const kept = `sort ${table.closest(".scroll").getAttribute("aria-label")}`;
    const heads = [...table.querySelectorAll("th[data-sortable]")];
    // By its heading and its group's: a live page gains columns.
    const name = (head) => {
      const [groups] = table.tHead.rows;
      const group = groups.cells[cellAt(groups, head.cellIndex)];
      const words = [group, head].map((cell) => (cell?.textContent ?? "").trim().replace(/\s+/g, " "));
      return group === head || !words[0] ? words[1] : words.join(": ");
    };
    const sort = (head, direction) => {
      const sign = direction === "ascending" ? 1 : -1;
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", direction);
      for (const body of table.tBodies) {
        const own = [...body.rows].filter((row) => !row.matches(".heading"));
        const keyed = own.map((row) => [key(row, cellAt(row, head.cellIndex)), row]);
        keyed.sort(([a], [b]) => {
          if (a === "" || b === "") return (a === "") - (b === "");
          const [x, y] = [Number(a), Number(b)];
          return sign * (Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y);
        });
        body.append(...keyed.map(([, row]) => row));
      }
      chosen.set(kept, `${direction} ${name(head)}`);
    };
    for (const head of heads) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        sort(head, head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending");
      });
    }
    const [direction, ...words] = (chosen.get(kept) ?? "").split(" ");
    const before = heads.find((head) => name(head) === words.join(" "));
    if (before && ["ascending", "descending"].includes(direction)) sort(before, direction);
    const again = () => {
      const head = heads.find((it) => it.hasAttribute("aria-sort"));
      if (head) sort(head, head.getAttribute("aria-sort"));
    };
    tables.set(table, { rows, again });
  }

  return {
    // Rows in the order in which the page has them.
    rows: (table) => tables.get(table).rows,
    // As it was sorted last: rows have been laid out anew.
    again: (table) => tables.get(table).again(),
  };
})();
