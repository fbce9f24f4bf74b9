"""The layout's numbers, in one place: sizes, docstrings, folders, imports, and the where-is table.

Limits are those of the house style. An exception is one line with its date and reason.
"""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ehr", "auth", "fhir_profiles", "migrations")
OURS = ("ehr", "auth", "fhir_profiles", "migrations")

MODULE_LINES, TEST_MODULE_LINES, FUNCTION_LINES = 400, 600, 50
FOLDER_MODULES, IMPORTS = 15, 7

# Data and errors that the rooms speak in: leaning on them couples nobody to anybody's work.
VOCABULARY = {
    "auth.endpoints.browser",
    "auth.pages",
    "auth.principal",
    "auth.sign_in.sessions",
    "auth.surroundings",
    "auth.sign_in.users",
    "ehr.access.scope",
    "ehr.access.terms",
    "ehr.audit.event",
    "ehr.audit.kinds",
    "ehr.errors",
    "ehr.interactions.changes",
    "ehr.messages",
    "ehr.record",
    "ehr.search.asking",
    "ehr.search.matching",
    "ehr.search.request",
    "ehr.settings",
    "ehr.store.rows",
    "ehr.store.tables",
    "fhir_profiles.definitions",
    "fhir_profiles.issues",
    "fhir_profiles.search_parameters",
}

# path -> date and reason
TOO_LONG: dict[str, str] = {}
TOO_MANY_MODULES = {
    "auth/endpoints": "2026-11: one file for each endpoint or page",
    "ehr/cli": "2026-11: one file for each command",
    "ehr/interactions": "2026-11: one file for each interaction, as R4 names them",
    "fhir_profiles/fhirpath": "2026-11: one file for each family of FHIRPath functions",
    "ehr/operations": "2026-11: one file for each operation, as the specification names them",
    "ehr/search/parameters": "2026-11: one file for each parameter type, and for modifiers of many",
    "ehr/measures": "2026-11: one file for each measure",
    "ehr/store": "2026-11: one file for each kind of row; split when the feed grows its own room",
    "fhir_profiles": "2026-11: one file for each part of the R4 package",
    "ehr/rest": "2026-11: one file for each header or part of HTTP",
}
TOO_MANY_IMPORTS = {
    "auth/elements/judging.py": "2026-11: the one list of all rules, a module each",
    "auth/endpoints/account.py": "2026-11: shows and changes each way to sign in, a module each",
    "auth/endpoints/upstream.py": "2026-11: joins sign-in, account and invitation with providers",
    "auth/endpoints/token_server.py": "2026-11: one line for each grant, and who asks for it",
    "auth/endpoints/introspect.py": "2026-11: who may ask, by each way, and all that is told",
    "auth/endpoints/signing_in.py": "2026-11: one line for each page of signing in",
    "auth/server.py": "2026-11: the switchboard: one line for each endpoint",
    "ehr/access/callers/asking.py": "2026-11: a statement of parts from each module",
    "ehr/access/judging.py": "2026-11: asks of rows what every other module here tells",
    "ehr/access/opening/opened.py": "2026-11: relationship, labels and consent, a module each",
    "ehr/access/visible.py": "2026-11: the one predicate, of which each part has its own module",
    "ehr/access/words/__init__.py": "2026-11: one line for each word, from its own module",
    "ehr/app.py": "2026-11: puts the rooms together",
    "ehr/bulk/checking/reextraction.py": "2026-11: all that the rows of a body depend on",
    "ehr/bulk/loading/one_unit.py": "2026-11: does in slices what HTTP does one by one",
    "ehr/cli/user.py": "2026-11: shows each way to sign in, a module each",
    "ehr/cli/user_acting.py": "2026-11: a command: what it asks, changes, tells and prints",
    "ehr/cli/user_changes.py": "2026-11: ends and changes what users have, a module each",
    "ehr/interactions/capability_statement.py": "2026-11: declares what each registry has",
    "ehr/operations/__init__.py": "2026-11: one line for each operation",
    "ehr/interactions/applying.py": "2026-11: the one list of steps that every change takes",
    "ehr/interactions/drafting.py": "2026-11: fills each column of a row, each from its own module",
    "ehr/interactions/entries.py": "2026-11: unfolds all that a request says, and folds it again",
    "ehr/interactions/history.py": "2026-11: three levels, each with its own visibility and paging",
    "ehr/interactions/access/judgement.py": "2026-11: asks role, rows and elements of one write",
    "ehr/interactions/patching.py": "2026-11: one line for each patch format",
    "ehr/interactions/access/permission.py": "2026-11: what scopes say of a row now and after",
    "ehr/interactions/transaction.py": "2026-11: one line for each interaction that may be in one",
    "ehr/interactions/writes.py": "2026-11: each rule of a write, from its own module",
    "ehr/interactions/provenance/told.py": "2026-11: who made what, and who may see that",
    "ehr/interactions/sharing.py": "2026-11: all that keeps a change to itself",
    "ehr/operations/reindex.py": "2026-11: what a run did, told of each part by its module",
    "ehr/operations/reindexing/job.py": "2026-11: the one order of a run's steps",
    "ehr/operations/reindexing/sweep.py": "2026-11: rows from body to table, a step a module",
    "ehr/pipeline.py": "2026-11: the one table from an interaction's name to its module",
    "ehr/rest/endpoint.py": "2026-11: the one way in calls each step of a request",
    "ehr/rest/respond.py": "2026-11: the one way out calls each header's module",
    "ehr/search/indexer.py": "2026-11: one line for each part of what is indexed",
    "ehr/search/plan/plan.py": "2026-11: the one order in which a search is planned",
    "ehr/search/parameters/clauses.py": "2026-11: one line for each parameter type",
    "ehr/search/parameters/sinks.py": "2026-11: one line for each parameter type",
    "ehr/operations/match.py": "2026-11: numbers, dates, the budget and Consents of one look-up",
    "ehr/store/commit.py": "2026-11: the one order in which a transaction writes its tables",
    "ehr/store/engine.py": "2026-11: opens what every later statement needs",
}


def _modules(*folders: str) -> list[Path]:
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if path.parent.name != "versions")  # one-off migrations


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


CODE = [pytest.param(path, id=_name(path)) for path in _modules(*PACKAGES)]
TESTS = [pytest.param(path, id=_name(path)) for path in _modules("tests")]


@pytest.mark.parametrize("path", CODE)
def test_a_module_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text("utf-8")

    assert len(text.splitlines()) <= MODULE_LINES or _name(path) in TOO_LONG, "split it by idea"
    assert not text.strip() or ast.get_docstring(ast.parse(text)), "it has no docstring"


@pytest.mark.parametrize("path", CODE)
def test_functions_are_short_and_public_ones_documented(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))

    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= FUNCTION_LINES, f"{node.name} has {lines} lines"
    for node in _public_functions(tree):
        assert ast.get_docstring(node), f"{node.name} has no docstring"


def _public_functions(tree: ast.Module) -> list[ast.FunctionDef]:
    scopes: list[ast.Module | ast.ClassDef] = [tree]
    scopes += [node for node in tree.body if _is_public_class(node)]
    return [
        node
        for scope in scopes
        for node in scope.body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and not _overrides(node, scope)
    ]


def _is_public_class(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef) and not node.name.startswith("_")


def _overrides(node: ast.FunctionDef, scope: ast.Module | ast.ClassDef) -> bool:
    """Tell whether a method is one of somebody else's base class, documented there."""
    return isinstance(scope, ast.ClassDef) and any(
        isinstance(found, ast.Name) and found.id == "override" for found in node.decorator_list
    )


@pytest.mark.parametrize("path", TESTS)
def test_a_test_module_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text("utf-8")

    assert len(text.splitlines()) <= TEST_MODULE_LINES or _name(path) in TOO_LONG
    assert not text.strip() or ast.get_docstring(ast.parse(text)), "it has no docstring"


@pytest.mark.parametrize("path", CODE)
def test_a_module_leans_on_few_others(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))

    found = {name for node in tree.body for name in _internal_imports(node)}

    found -= VOCABULARY
    assert len(found) <= IMPORTS or _name(path) in TOO_MANY_IMPORTS, sorted(found)


def _internal_imports(node: ast.stmt) -> set[str]:
    """Return the modules of ours that a top-level statement imports."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names if alias.name.split(".")[0] in OURS}
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS:
        base = node.module or ""
        folder = ROOT / base.replace(".", "/")
        return {
            f"{base}.{alias.name}" if _is_module(folder / alias.name) else base
            for alias in node.names
        }
    return set()


def _is_module(path: Path) -> bool:
    return path.with_name(f"{path.name}.py").exists() or (path / "__init__.py").exists()


def test_folders_hold_few_modules() -> None:
    counts = Counter(
        _name(path.parent) for path in _modules(*PACKAGES) if path.name != "__init__.py"
    )

    crowded = {name for name, count in counts.items() if count > FOLDER_MODULES}

    assert crowded <= set(TOO_MANY_MODULES)


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "misc", "manager", "stuff"])
def test_no_module_has_a_name_that_says_nothing(word: str) -> None:
    assert [_name(path) for path in _modules(*PACKAGES) if path.stem == word] == []


def test_each_exception_is_still_needed_and_dated() -> None:
    for name, reason in {**TOO_LONG, **TOO_MANY_MODULES, **TOO_MANY_IMPORTS}.items():
        assert re.match(r"20\d\d-\d\d: \w", reason), name
    for name in TOO_LONG:
        assert len((ROOT / name).read_text("utf-8").splitlines()) > MODULE_LINES, name


def test_every_path_of_the_where_is_table_exists() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    table = readme.partition("## Where is")[2].partition("\n## ")[0]
    paths = re.findall(r"`([\w./-]+)`", table)

    assert len(paths) >= 20
    assert [path for path in paths if "/" in path and not (ROOT / path).exists()] == []
