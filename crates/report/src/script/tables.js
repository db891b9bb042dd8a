// A table as shown, filtered and sorted, for a spreadsheet, a README or a paper.
{
  const text = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    if (node.nodeName === "BR") return " ";
    const inner = [...node.childNodes].map(text).join("");
    return node.classList.contains("tag") ? `(${inner})` : inner;
  };
  const read = (cell) => ({
    text: text(cell).replace(/\s+/g, " ").trim(),
    span: cell.colSpan,
    num: cell.classList.contains("num"),
  });
  const rowsOf = (part) => [...(part?.rows ?? [])].filter((row) => !row.hidden).map((row) => [...row.cells].map(read));
  const shown = (table) => ({
    heads: rowsOf(table.tHead),
    rows: [...table.tBodies].flatMap(rowsOf),
    foot: rowsOf(table.tFoot),
  });
  // A cell over several columns is followed by empty ones.
  const flat = (row) => row.flatMap((cell) => [cell, ...Array(cell.span - 1).fill({ text: "", num: cell.num })]);
  // One line of headings: a group's name goes before those under it.
  const headings = (heads) => {
    const groups = heads.length > 1 ? heads[0].flatMap((cell) => Array(cell.span).fill(cell.text)) : [];
    return flat(heads.at(-1)).map((cell, at) => ({ ...cell, text: groups[at] ? `${groups[at]}: ${cell.text}` : cell.text }));
  };
  const ascii = (said) => said.replaceAll("\u2212", "-");

  const csvCell = ({ text }) => {
    let said = ascii(text);
    // A spreadsheet would calculate what begins like this, and names may come from strangers.
    if (/^[=@]|^[+-](?![\d.∞])/.test(said)) said = `'${said}`;
    return /[",\n]/.test(said) ? `"${said.replaceAll('"', '""')}"` : said;
  };
  const csv = (table) => {
    const { heads, rows, foot } = shown(table);
    const body = [...rows, ...foot].map(flat);
    return [headings(heads), ...body].map((row) => row.map(csvCell).join(",") + "\n").join("");
  };

  const markdown = (table) => {
    const { heads, rows, foot } = shown(table);
    const safe = ({ text }) => text.replace(/[\\`*_[\]|~$#]/g, "\\$&").replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    const line = (cells) => `| ${cells.join(" | ")} |\n`;
    const top = headings(heads);
    const body = [...rows, ...foot].map((row) => line(flat(row).map(safe)));
    return line(top.map(safe)) + line(top.map(({ num }) => (num ? "--:" : "---"))) + body.join("");
  };

  // What LaTeX reads, and what its usual fonts lack.
  const TEX = {
    "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "\u2212": "$-$", "±": "$\\pm$",
    "↑": "$\\uparrow$", "↓": "$\\downarrow$", "→": "$\\to$", "★": "$\\star$", "λ": "$\\lambda$", "×": "$\\times$",
    "∞": "$\\infty$", "–": "--", "—": "---", "<": "$<$", ">": "$>$", "η": "$\\eta$", "ω": "$\\omega$", "²": "$^2$",
  };
  const tex = (said) => [...said].map((c) => (/[&%$#_{}]/.test(c) ? `\\${c}` : (TEX[c] ?? c))).join("");
  const latex = (table) => {
    const { heads, rows, foot } = shown(table);
    const cell = ({ text, span, num }) => {
      const said = tex(text);
      return span > 1 ? `\\multicolumn{${span}}{${num ? "r" : "c"}}{${said}}` : said;
    };
    const line = (row) => `${row.map(cell).join(" & ")} \\\\\n`;
    const columns = flat(heads.at(-1)).map(({ num }) => (num ? "r" : "l")).join("");
    const groups = heads.slice(0, -1).map((row) => {
      let at = 1;
      const rules = row.map(({ text, span }) => {
        const from = at;
        at += span;
        return text ? `\\cmidrule(lr){${from}-${at - 1}}` : "";
      });
      return `${line(row)}${rules.join("")}\n`;
    });
    const below = foot.length ? `\\midrule\n${foot.map(line).join("")}` : "";
    return `% \\usepackage{booktabs}\n\\begin{tabular}{${columns}}\n\\toprule\n${groups.join("")}${line(heads.at(-1))}\\midrule\n${rows.map(line).join("")}${below}\\bottomrule\n\\end{tabular}\n`;
  };

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
      status.textContent = "The clipboard is not open to this page: copy the text below.";
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
    tools.setAttribute("aria-label", `${name}: filter and copy`);
    const status = document.createElement("span");
    status.setAttribute("role", "status");
    const filter = document.createElement("input");
    filter.type = "search";
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
    const hasSettings = rows.some((row) => row.dataset.cell !== undefined);
    filter.placeholder = hasSettings ? "words, or a condition" : "words that rows have";
    const byWords = (said) => {
      const words = said.toLowerCase().split(/\s+/).filter(Boolean);
      return (row) => { const own = text(row).toLowerCase(); return words.every((word) => own.includes(word)); };
    };
    const apply = () => {
      const said = filter.value.trim();
      let problem = "";
      try {
        const holds = hasSettings && expression.isOne(said) ? expression.of(said) : byWords(said);
        const left = rows.map((row) => [row, holds(row)]);
        for (const [row, stays] of left) row.hidden = !stays;
      } catch (error) {
        problem = `All rows: ${error.message}.`;
        for (const row of rows) row.hidden = false;
      }
      const left = rows.filter((row) => !row.hidden).length;
      status.textContent = problem || (said ? `${left} of ${rows.length} rows` : "");
      chosen.set(`filter ${name}`, filter.value.trim());
    };
    filter.addEventListener("input", apply);
    filter.value = chosen.get(`filter ${name}`) ?? "";
    if (filter.value) apply();
    const label = document.createElement("label");
    label.append("Filter ", filter);
    const formats = [["CSV", csv], ["Markdown", markdown], ["LaTeX", latex]];
    const buttons = formats.map(([format, write]) => {
      const made = button(format, () => copy(write(table), tools, status, format));
      made.setAttribute("aria-label", `Copy as ${format}`);
      return made;
    });
    tools.append(label, "Copy as ", ...buttons, status);
    region.before(tools);
  }

  for (const region of document.querySelectorAll(".scroll")) {
    const hint = document.createElement("p");
    hint.className = "hint";
    hint.textContent = "Wider than the page: scroll sideways →";
    region.before(hint);
    const look = () => { hint.hidden = region.scrollWidth <= region.clientWidth + 1; };
    new ResizeObserver(look).observe(region);
    look();
  }
}
