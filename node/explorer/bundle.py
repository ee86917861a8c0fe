"""Joins ES modules to one classic script, so that a page can hold them all and be opened as a file.

Only the forms of import and export that the modules beside this file use are known; any other is an
error and not a guess. Each module becomes a function of its own, so private names do not meet. Doc
comments are left out, licence comments (/*!) stay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

MODULES_MAX = 64
SCRIPT_BYTES_MAX = 1024 * 1024

_DOC_COMMENT = re.compile(r"^[ \t]*/\*\*.*?\*/\n", re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(r'^import (?:\{([^}]*)\}|\* as (\w+)) from "(\.[^"\n]+)";$', re.MULTILINE)
_DECLARED = re.compile(r"^export ((?:async function|function|class|const) (\w+))", re.MULTILINE)
_LISTED = re.compile(r"^export \{([^}]*)\};$", re.MULTILINE)
_LEFT_OVER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_ALIAS = re.compile(r"(\w+)(?: as (\w+))?")


class BundleError(Exception):
    """Modules that cannot be joined; the message names the file and the place."""


@dataclass(frozen=True, slots=True)
class _Module:
    name: str
    text: str


def bundle(entry: Path) -> str:
    """One script that runs `entry` and all that it imports. Raises BundleError, OSError."""
    modules: dict[Path, _Module] = {}
    _add(entry.resolve(), modules, ())
    script = "\n".join(('"use strict";', *(module.text for module in modules.values())))
    script = f"(() => {{\n{script}\n}})();\n"
    if len(script) > SCRIPT_BYTES_MAX:
        raise BundleError(f"{entry.name}: longer than {SCRIPT_BYTES_MAX} bytes in all")
    for ending in ("</script", "<!--"):
        if ending in script.lower():
            raise BundleError(f"{entry.name}: {ending} would end the script in its page")
    return script


def _add(path: Path, modules: dict[Path, _Module], above: tuple[Path, ...]) -> _Module:
    if path in above:
        raise BundleError(f"{path.name}: imports itself, by way of others")
    if path in modules:
        return modules[path]
    if len(modules) >= MODULES_MAX:
        raise BundleError(f"{path.name}: more than {MODULES_MAX} modules")
    text = _DOC_COMMENT.sub("", path.read_text(encoding="utf-8"))

    def imported(found: re.Match[str]) -> str:
        names, everything, where = found.groups()
        module = _add((path.parent / where).resolve(), modules, (*above, path))
        bound = everything or f"{{ {_renamed(names, ': ')} }}"
        return f"const {bound} = {module.name};"

    text = _IMPORT.sub(imported, text)
    exports = [name for _, name in _DECLARED.findall(text)]
    text = _DECLARED.sub(r"\1", text)
    exports += [_renamed(names, ": ", swap=True) for names in _LISTED.findall(text)]
    text = _LISTED.sub("", text)
    if left := _LEFT_OVER.search(text):
        raise BundleError(f"{path.name}: this form is not known: {left.group()}")
    name = f"module_{len(modules)}"
    given = ", ".join(each for each in exports if each)
    wrapped = f"const {name} = (() => {{\n{text}\nreturn Object.freeze({{ {given} }});\n}})();"
    modules[path] = _Module(name, wrapped)
    return modules[path]


def _renamed(names: str, colon: str, *, swap: bool = False) -> str:
    """`a, b as c` as the members of an object pattern, or with `swap` of an object."""
    found = []
    for name, alias in _ALIAS.findall(names):
        pair = (alias, name) if swap else (name, alias)
        found.append(colon.join(pair) if alias else name)
    return ", ".join(found)
