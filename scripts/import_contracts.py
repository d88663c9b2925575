"""A contract type for import-linter: the modules of a package do not know each other.

Unlike `independence`, modules whose names begin with an underscore are shared helpers that the others may use;
they in turn may use none of the others.
"""

from __future__ import annotations

from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class Siblings(Contract):
    """`package`: the package whose modules are checked, direct imports and those through helpers alike."""

    type_name = "siblings"

    package: Any = fields.StringField()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        del verbose
        children = sorted(graph.find_children(self.package))
        public = {child for child in children if not child.rsplit(".", 1)[-1].startswith("_")}
        found = [
            (importer, imported)
            for importer in children
            for imported in sorted(graph.find_modules_directly_imported_by(importer) & public)
            if importer != imported
        ]
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["found"]:
            output.print_error(f"{importer} is not allowed to import {imported}.")
            output.new_line()
