// A table as shown, grouped, filtered and sorted, for a spreadsheet, a README or a paper.
const copying = (() => {
  // The page's marks are the style sheet's: × for what went wrong or misleads, ! for a warning.
  const mark = (node) => {
    if (!node.matches(".state")) return "";
    if (node.matches(".warned")) return "! ";
    return node.matches(".failed, .diverged, .lost, .stopped, .timed-out") ? "× " : "";
  };
  const text = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    if (node.nodeName === "BR") return node.closest(".flagged") ? "; " : " ";
    // What is folded is beside the point of a copy.
    const children = node.nodeName === "DETAILS" ? [node.querySelector("summary")] : [...node.childNodes];
    const inner = mark(node) + children.map(text).join("");
    return node.classList.contains("tag") ? `(${inner})` : inner;
  };
  const read = (cell) => ({
    text: text(cell).replace(/\s+/g, " ").trim(),
    span: cell.colSpan,
    num: cell.classList.contains("num"),
    csv: cell.dataset.csv,
  });
  const isShown = (row) => !row.hidden && !row.matches(".heading");
  const rowsOf = (part) => [...(part?.rows ?? [])].filter(isShown).map((row) => [...row.cells].map(read));
  // Groups: one that has no name where rows are not grouped.
  const shown = (table) => ({
    heads: rowsOf(table.tHead),
    by: table.dataset.grouped,
    groups: [...table.tBodies].filter((body) => !body.hidden).map((body) => [body.dataset.group, rowsOf(body)]),
    foot: rowsOf(table.tFoot),
  });
  // A cell over several columns is followed by empty ones.
  const flat = (row) => row.flatMap((cell) => [cell, ...Array(cell.span - 1).fill({ text: "", num: cell.num })]);
  // Above each column the name of its group, if it has one.
  const above = (heads) => (heads.length > 1 ? heads[0].flatMap((cell) => Array(cell.span).fill(cell.text)) : []);
  // One line of headings: a group's name goes before those under it.
  const headings = (heads) => {
    const groups = above(heads);
    return flat(heads.at(-1)).map((cell, at) => ({ ...cell, text: groups[at] ? `${groups[at]}: ${cell.text}` : cell.text }));
  };

  const csvCell = (text) => {
    // A program reads digits without the spaces between thousands, and one kind of minus sign.
    let said = text.replaceAll("\u2212", "-").replace(/(?<=\d)\u202f(?=\d)/g, "");
    // A spreadsheet would calculate what begins like this, and names may come from strangers.
    if (/^[=@]|^[+-](?![\d.∞])/.test(said)) said = `'${said}`;
    return /[",\n]/.test(said) ? `"${said.replaceAll('"', '""')}"` : said;
  };
  const unlike = (names) => {
    const taken = new Set();
    return names.map((name) => {
      let own = name;
      for (let more = 2; taken.has(own); more += 1) own = `${name} (${more})`;
      taken.add(own);
      return own;
    });
  };
  // What a heading names one by one is a column each, with the exact numbers, or with text of its own (a
  // single one, whose commas part nothing); the rest is text as shown.
  const csv = (table) => {
    const { heads, by, groups, foot } = shown(table);
    const over = above(heads);
    const columns = flat(heads.at(-1)).map(({ text, csv }, at) => ({ text, parts: csv?.split("|"), over: over[at] }));
    const names = columns.flatMap(({ text, parts, over }) => {
      // A single part is its own name, as the heading would be.
      const before = over || (parts?.length > 1 ? text : "");
      return (parts ?? [text]).map((name) => (before ? `${before}: ${name}` : name));
    });
    const said = (row) => flat(row).flatMap(({ text, csv }, at) => {
      const { parts } = columns[at];
      const values = parts?.length > 1 ? (csv?.split(",") ?? []) : [csv];
      return parts ? parts.map((_, part) => values[part] ?? "") : [text];
    });
    const lines = groups.flatMap(([group, rows]) => rows.map((row) => (by ? [group, ...said(row)] : said(row))));
    const below = foot.map((row) => (by ? ["", ...said(row)] : said(row)));
    const first = unlike(by ? [`group: ${by}`, ...names] : names);
    return [first, ...lines, ...below].map((line) => line.map(csvCell).join(",") + "\n").join("");
  };

  const markdown = (table) => {
    const { heads, by, groups, foot } = shown(table);
    const safe = (text) => text.replace(/[\\`*_[\]|~$#]/g, "\\$&").replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    const line = (cells) => `| ${cells.join(" | ")} |\n`;
    const top = headings(heads);
    const rowOf = (row) => line(flat(row).map(({ text }) => safe(text)));
    // Markdown has no headings within a table: a row of its own says it, in bold.
    const heading = (group) => (by ? line([`**${safe(`${by}: ${group}`)}**`, ...Array(top.length - 1).fill("")]) : "");
    const body = groups.map(([group, rows]) => heading(group) + rows.map(rowOf).join(""));
    const names = line(top.map(({ text }) => safe(text))) + line(top.map(({ num }) => (num ? "--:" : "---")));
    return names + body.join("") + foot.map(rowOf).join("");
  };

  // What LaTeX reads, and what its usual fonts lack.
  const TEX = {
    "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "\u2212": "$-$", "±": "$\\pm$",
    "↑": "$\\uparrow$", "↓": "$\\downarrow$", "→": "$\\to$", "★": "$\\star$", "λ": "$\\lambda$", "×": "$\\times$",
    "∞": "$\\infty$", "–": "--", "—": "---", "<": "$<$", ">": "$>$", "η": "$\\eta$", "ω": "$\\omega$", "²": "$^2$",
  };
  const tex = (said) => [...said].map((c) => (/[&%$#_{}]/.test(c) ? `\\${c}` : (TEX[c] ?? c))).join("");
  const latex = (table) => {
    const { heads, by, groups, foot } = shown(table);
    const cell = ({ text, span, num }) => {
      const said = tex(text);
      return span > 1 ? `\\multicolumn{${span}}{${num ? "r" : "c"}}{${said}}` : said;
    };
    const line = (row) => `${row.map(cell).join(" & ")} \\\\\n`;
    const last = flat(heads.at(-1));
    const columns = last.map(({ num }) => (num ? "r" : "l")).join("");
    const over = heads.slice(0, -1).map((row) => {
      let at = 1;
      const rules = row.map(({ text, span }) => {
        const from = at;
        at += span;
        return text ? `\\cmidrule(lr){${from}-${at - 1}}` : "";
      });
      return `${line(row)}${rules.join("")}\n`;
    });
    const heading = (group, at) => {
      const space = at ? "\\addlinespace\n" : "";
      return by ? `${space}\\multicolumn{${last.length}}{l}{\\textit{${tex(`${by}: ${group}`)}}} \\\\\n` : "";
    };
    const body = groups.map(([group, rows], at) => heading(group, at) + rows.map(line).join(""));
    const below = foot.length ? `\\midrule\n${foot.map(line).join("")}` : "";
    return `% \\usepackage{booktabs}\n\\begin{tabular}{${columns}}\n\\toprule\n${over.join("")}${line(heads.at(-1))}\\midrule\n${body.join("")}${below}\\bottomrule\n\\end{tabular}\n`;
  };

  return { formats: [["CSV", csv], ["Markdown", markdown], ["LaTeX", latex]] };
})();
