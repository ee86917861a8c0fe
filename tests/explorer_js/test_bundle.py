"""Modules are joined to one script that behaves as they do, or refused with the place named."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from node_runner import NODE, needs_node

from node.explorer.bundle import BundleError, bundle


def write(folder: Path, **modules: str) -> Path:
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text)
    return folder / "entry.js"


def run(script: str) -> str:
    assert NODE is not None
    ran = subprocess.run(
        [NODE], input=script, capture_output=True, text=True, check=True, timeout=60
    )
    return ran.stdout.strip()


@needs_node
def test_names_meet_only_where_they_are_imported(tmp_path: Path) -> None:
    entry = write(
        tmp_path,
        entry='import { a as first, b } from "./one.js";\nimport * as all from "./two.js";\n'
        "const hidden = 3;\nconsole.log(first(), b, all.a, all.Thing.name, all.more(), hidden);\n",
        one="const hidden = 1;\nexport function a() { return hidden; }\nexport const b = 2;\n",
        two='import { b as hidden } from "./one.js";\n/**\nexport of nothing\n*/\n'
        'const a = "x", c = () => hidden;\nexport class Thing {}\nexport { a, c as more };\n',
    )
    assert run(bundle(entry)) == "1 2 x Thing 2 3"


@needs_node
def test_a_module_runs_once_and_before_those_that_import_it(tmp_path: Path) -> None:
    entry = write(
        tmp_path,
        entry='import { x } from "./a.js";\nimport { y } from "./b.js";\nconsole.log(x + y);\n',
        a='import { z } from "./c.js";\nexport const x = z;\n',
        b='import { z } from "./c.js";\nexport const y = z;\n',
        c='console.log("once");\nexport const z = 2;\n',
    )
    assert run(bundle(entry)) == "once\n4"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('import x from "./one.js";\n', "this form is not known: import x"),
        ('import { x } from "elsewhere";\n', "this form is not known"),
        ("export default 3;\n", "this form is not known: export default"),
        ("export let a = 3;\n", "this form is not known"),
        ('import { x } from "./entry.js";\n', "imports itself"),
        ('const text = "</SCRIPT>";\n', "would end the script"),
        (f"const long = '{'x' * 1024 * 1024}';\n", "longer than"),
    ],
)
def test_what_cannot_be_joined_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(BundleError, match=why):
        bundle(write(tmp_path, entry=text))
