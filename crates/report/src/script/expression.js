// The conditions of sweep files and of `--only`, for filters of tables.
//
// or = and {"or" and}; and = not {"and" not}; not = "not" not | comparison;
// comparison = sum [("==" | "!=" | "<" | "<=" | ">" | ">=") sum | ["not"] "in" list];
// sum and product as usual; atom = number | text in quotes | true | false | key | "(" or ")".
const expression = (() => {
  const DEEPEST = 32;
  const PARTS = /\s*(?:(\d+(?:\.\d+)?(?:e[+-]?\d+)?)|"([^"]*)"|'([^']*)'|([\p{L}_][\p{L}\d_.]*)|(==|!=|<=|>=|[<>+\-*/()[\],]))/iuy;
  const known = JSON.parse(document.getElementById("leaves")?.textContent ?? '{"leaves":{},"cells":[]}');
  const names = new Set([...Object.keys(known.leaves), ...known.cells.flatMap((cell) => Object.keys(cell.differs))]);
  // Words alone are sought as they are; this is what no heading and no cell of a table looks like.
  const isOne = (text) => /[=<>!]=|[<>]|\bin\s*\[|^\s*not\s/.test(text);

  const tokens = (text) => {
    const found = [];
    PARTS.lastIndex = 0;
    while (text.slice(PARTS.lastIndex).trim()) {
      const at = PARTS.lastIndex;
      const match = PARTS.exec(text);
      if (!match) throw new Error(`nothing is written like \`${text.slice(at).trim()}\``);
      const [, number, double, single, word, sign] = match;
      if (number !== undefined) found.push({ number: Number(number) });
      else if (word !== undefined) found.push({ word });
      else if (sign !== undefined) found.push({ sign });
      else found.push({ text: double ?? single });
    }
    return found;
  };

  // A tree of functions of a row. What is absent is null: it equals nothing, and what is computed of it is absent.
  const parse = (text) => {
    const list = tokens(text);
    let [at, depth] = [0, 0];
    const said = (token) => (token === undefined ? "the end" : `\`${token.word ?? token.sign ?? token.text ?? token.number}\``);
    const fail = (wanted) => { throw new Error(`expected ${wanted}, found ${said(list[at])}`); };
    const takes = (kind, ...values) => values.includes(list[at]?.[kind]) && (at += 1) > 0;
    const nested = (inner) => {
      depth += 1;
      if (depth > DEEPEST) throw new Error(`brackets and signs nest at most ${DEEPEST} deep`);
      const found = inner();
      depth -= 1;
      return found;
    };
    const joined = (word, part, holds) => {
      const parts = [part()];
      while (takes("word", word)) parts.push(part());
      return parts.length === 1 ? parts[0] : (row) => holds(parts, (it) => it(row) === true);
    };
    const or = () => joined("or", and, (parts, is) => parts.some(is));
    const and = () => joined("and", not, (parts, is) => parts.every(is));
    const not = () => {
      if (!takes("word", "not")) return comparison();
      const inner = nested(not);
      return (row) => inner(row) !== true;
    };
    const equal = (a, b) => a !== null && a === b;
    const ordered = (a, b, is) => typeof a === "number" && typeof b === "number" && is(a, b);
    const COMPARISONS = {
      "==": equal, "!=": (a, b) => !equal(a, b),
      "<": (a, b) => ordered(a, b, (x, y) => x < y), "<=": (a, b) => ordered(a, b, (x, y) => x <= y),
      ">": (a, b) => ordered(a, b, (x, y) => x > y), ">=": (a, b) => ordered(a, b, (x, y) => x >= y),
    };
    const comparison = () => {
      const left = sum();
      const negated = takes("word", "not");
      if (takes("word", "in")) {
        const items = items_();
        return (row) => items.some((it) => equal(left(row), it(row))) !== negated;
      }
      if (negated) fail("`in`, as in `x not in [1, 2]`");
      const sign = list[at]?.sign;
      if (!Object.hasOwn(COMPARISONS, sign ?? "")) return left;
      at += 1;
      const right = sum();
      if (Object.hasOwn(COMPARISONS, list[at]?.sign ?? "")) throw new Error("comparisons do not chain: write `a < b and b < c`");
      return (row) => COMPARISONS[sign](left(row), right(row));
    };
    const items_ = () => {
      if (!takes("sign", "[")) fail("a list, as in `[1, 2]`");
      const items = [];
      while (!takes("sign", "]")) {
        items.push(nested(or));
        if (!takes("sign", ",") && list[at]?.sign !== "]") fail("`,` or `]`");
      }
      if (items.length === 0) throw new Error("nothing is in an empty list");
      return items;
    };
    const computed = (signs, part) => {
      const first = part();
      const rest = [];
      while (signs.includes(list[at]?.sign ?? " ")) {
        const { sign } = list[at];
        at += 1;
        rest.push([sign, part()]);
      }
      if (rest.length === 0) return first;
      const step = { "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b };
      return (row) => rest.reduce((sum, [sign, part]) => {
        const value = part(row);
        return typeof sum === "number" && typeof value === "number" ? step[sign](sum, value) : null;
      }, first(row));
    };
    const sum = () => computed("+-", product);
    const product = () => computed("*/", signed);
    const signed = () => {
      if (!takes("sign", "-")) return atom();
      const inner = nested(signed);
      return (row) => { const value = inner(row); return typeof value === "number" ? -value : value; };
    };
    const atom = () => {
      const token = list[at];
      if (token?.number !== undefined || token?.text !== undefined) {
        at += 1;
        return () => token.number ?? token.text;
      }
      if (takes("sign", "(")) {
        const inner = nested(or);
        if (!takes("sign", ")")) fail("`)`");
        return inner;
      }
      const word = token?.word;
      if (word === undefined || ["and", "or", "not", "in"].includes(word)) fail("a key, a number, text in quotes, or `(`");
      at += 1;
      if (word === "true" || word === "false") return () => word === "true";
      if (!["seed", "label", "cell"].includes(word) && !names.has(word)) {
        throw new Error(`\`${word}\` is not a setting of a run; text stands in quotes`);
      }
      return (row) => row(word);
    };
    const root = or();
    if (at < list.length) fail("the end, or `and` or `or`");
    return root;
  };

  // What a row of a table stands for: a cell, or a run of one.
  const row = (element) => (name) => {
    const cell = known.cells[element.dataset.cell];
    if (name === "seed") {
      if (element.dataset.seed === undefined) throw new Error("a row of this table is a cell, the same for each of its seeds");
      return Number(element.dataset.seed);
    }
    if (name === "label" || name === "cell") return cell?.label ?? null;
    const value = cell && Object.hasOwn(cell.differs, name) ? cell.differs[name] : (known.leaves[name] ?? null);
    return typeof value === "object" ? null : value;
  };

  return {
    isOne,
    // Whether it holds of a row that names its cell.
    of: (text) => {
      const root = parse(text);
      return (element) => root(row(element)) === true;
    },
  };
})();
