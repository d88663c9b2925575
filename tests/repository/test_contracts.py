from __future__ import annotations

from grimp import ImportGraph

from import_contracts import Siblings


def kept(*imports: tuple[str, str]) -> bool:
    """Whether a package `p` with these imports keeps the contract."""
    graph = ImportGraph()
    for name in ("p", "p.a", "p.b", "p._shared"):
        graph.add_module(name)
    for importer, imported in imports:
        graph.add_import(importer=importer, imported=imported)
    contract = Siblings(name="x", session_options={"root_packages": ["p"]}, contract_options={"package": "p"})
    return contract.check(graph, verbose=False).kept


def test_helpers_may_be_shared() -> None:
    assert kept(("p.a", "p._shared"), ("p.b", "p._shared"))


def test_one_sibling_may_not_use_another() -> None:
    assert not kept(("p.a", "p.b"))


def test_nor_may_a_helper_lead_to_one() -> None:
    assert not kept(("p._shared", "p.b"))
