#!/usr/bin/env python3
"""Writes the places of the documentation that name a function: README.md, docs/functions.md, docs/accuracy.md,
src/lib.rs and src/second.rs.

Run: python3 tools/rows.py NAME SIBLING ERRORS

NAME and SIBLING are names on cards. The function is named behind its sibling, in the same group, wherever it is not named yet.
ERRORS is a file with what the program `values` prints of NAME's errors. What is there already stays as it is, but the errors.
"""

import datetime
import pathlib
import re
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
WIDTH = 130


def card(name):
    """The function's type, and its card's source."""
    for path in sorted((ROOT / "src").rglob("*.rs")):
        text = path.read_text()
        for found in re.finditer(r"impl Described for (\w+) \{(.*?)\n\}", text, re.DOTALL):
            if f'name: "{name}",' in found[2]:
                return found[1], found[2]
    sys.exit(f"no card has the name `{name}`")


def field(card, name):
    return re.search(rf'{name}: "((?:[^"\\]|\\.)*)"', card)[1]


def edit(path, change):
    """Writes the page if it changes, and says so."""
    file = ROOT / path
    old = file.read_text()
    new = change(old)
    if new is None:
        sys.exit(f"{path} does not name the sibling")
    if new != old:
        file.write_text(new)
        print(f"wrote {path}")


def front_page(text, new, sibling):
    """The list of its group in src/lib.rs: a paragraph of `//!` lines that begins with `- `."""
    if f"[`{new}`]" in text:
        return text
    lines = text.split("\n")
    at = next((i for i, line in enumerate(lines) if line.startswith("//! ") and f"[`{sibling}`]" in line), None)
    if at is None:
        return None
    start = max(i for i in range(at + 1) if lines[i].startswith("//! - "))
    end = next(i for i in range(start + 1, len(lines)) if not lines[i].startswith("//!   "))
    item = " ".join(line[4:].strip() for line in lines[start:end])
    item = item.replace(f"[`{sibling}`]", f"[`{sibling}`], [`{new}`]", 1)
    lines[start:end] = textwrap.wrap(item, WIDTH, initial_indent="//! ", subsequent_indent="//!   ", break_long_words=False)
    return "\n".join(lines)


def readme(text, new, sibling):
    """The cell of its group under "What it has"."""
    start = text.index("\n## What it has\n")
    end = text.index("\n## ", start + 1)
    section = text[start:end]
    if f"`{new}`" not in section:
        if f"`{sibling}`" not in section:
            return None
        section = section.replace(f"`{sibling}`", f"`{sibling}`, `{new}`", 1)
    return text[:start] + section + text[end:]


def row_behind(text, sibling, new, row):
    """The row of a table, behind the sibling's, or in place of the function's own."""
    lines = text.split("\n")
    own = next((i for i, line in enumerate(lines) if line.startswith(f"| `{new}` |")), None)
    if own is not None:
        lines[own] = row
        return "\n".join(lines)
    at = next((i for i, line in enumerate(lines) if line.startswith("| `") and f"`{sibling}`" in line.split("|")[1]), None)
    if at is None:
        return None
    lines.insert(at + 1, row)
    return "\n".join(lines)


def functions(text, new, sibling, card):
    """The table of formulas, and how many functions there are."""
    if not re.search(rf"^\| [^|]*`{new}`", text, re.MULTILINE):
        aliases = re.findall(r'"([^"]+)"', re.search(r"aliases: &\[(.*?)\]", card, re.DOTALL)[1])
        formula = re.sub(r"\|([^|]*)\|", r"abs(\1)", field(card, "formula"))
        others = ", ".join(f"`{alias}`" for alias in aliases[:3]) + (", ..." if len(aliases) > 3 else "")
        text = row_behind(text, sibling, new, f"| `{new}` | {formula} | {others} |".replace("|  |", "| |"))
        if text is None:
            return None
        text = re.sub(r"The crate has (\d+) functions", lambda found: f"The crate has {int(found[1]) + 1} functions", text)
    return text


def accuracy(text, new, sibling, errors):
    """The table of errors: two numbers for each type and kind of lane."""
    worst = {}
    for line in errors.splitlines():
        found = re.match(r"(\w+)('?)\s+(f32|f64) (fused|plain)\s+([0-9.]+)", line)
        if found:
            key = found[3], found[4], bool(found[2])
            worst[key] = max(worst.get(key, 0.0), float(found[5]))
    if not worst:
        print("docs/accuracy.md: no errors were measured")
        return text
    cells = []
    for float_type in ("f32", "f64"):
        for kind in ("fused", "plain"):
            pair = [worst.get((float_type, kind, slope)) for slope in (False, True)]
            cells.append("" if None in pair else f"{pair[0]:.2f}, {pair[1]:.2f}")
    row = f"| `{new}` | " + " | ".join(cells) + " |"
    new_text = row_behind(text, sibling, new, row)
    if new_text is not None and new_text != text:
        date = datetime.date.today().isoformat()
        if f"`{new}` {date}" not in new_text:
            new_text = re.sub(r"(\| date \| .*?) \|", rf"\1; `{new}` {date} |", new_text, count=1)
    return new_text


def seconds(text, new):
    """The table of second derivatives in src/second.rs, from the test entry."""
    if f"[`{new}`]" in text:
        return text
    for path in sorted((ROOT / "tests" / "common" / "entries").glob("*.rs")):
        entry = re.search(rf"impl Entry for {new} \{{(.*?)\n\}}", path.read_text(), re.DOTALL)
        if entry:
            break
    else:
        sys.exit(f"{new} has no test entry")
    second = re.search(r"Second::within\(([0-9.]+), ([0-9.]+)\)", entry[1])
    if not second:
        return text
    bounds = second[1] if second[1] == second[2] else f"{second[1]}, {second[2]}"
    floor = re.search(r"\.floor\(([0-9.]+), ([0-9.]+)\)", entry[1])
    places = ""
    if floor:
        places = f"for \\|x\\| < {float(floor[1]):g} the spacing at 1/{1 / float(floor[2]):g}"
    row = f"/// | [`{new}`](crate::{new}) | {bounds} | {places} |".replace("|  |", "| |")
    return text.replace("/// | all others: constants", f"{row}\n/// | all others: constants", 1)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    name, beside, errors = sys.argv[1:]
    (new, facts), (sibling, _) = card(name), card(beside)
    edit("src/lib.rs", lambda text: front_page(text, new, sibling))
    edit("src/second.rs", lambda text: seconds(text, new))
    edit("README.md", lambda text: readme(text, new, sibling))
    edit("docs/functions.md", lambda text: functions(text, new, sibling, facts))
    edit("docs/accuracy.md", lambda text: accuracy(text, new, sibling, pathlib.Path(errors).read_text()))


if __name__ == "__main__":
    main()
