"""Fail unless two test runs (JUnit files) ran the same tests below the given folders, none of them skipped.

same_tests.py SQLITE.xml POSTGRESQL.xml FOLDER ...
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree


def ran(path: str, folders: list[str]) -> tuple[set[str], set[str]]:
    """Ids of the tests that ran, and of those that were skipped."""
    prefixes = tuple(folder.replace("/", ".").rstrip(".") + "." for folder in folders)
    done: set[str] = set()
    skipped: set[str] = set()
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        if name.startswith(prefixes):
            (skipped if case.find("skipped") is not None else done).add(name)
    return done, skipped


def main() -> int:
    first, second, *folders = sys.argv[1:]
    (left, left_skipped), (right, right_skipped) = ran(first, folders), ran(second, folders)
    for title, names in (
        ("only in the first run", left - right),
        ("only in the second run", right - left),
        ("skipped", left_skipped | right_skipped),
    ):
        for name in sorted(names):
            print(f"{title}: {name}", file=sys.stderr)
    if left != right or left_skipped or right_skipped or not left:
        return 1
    print(f"The same {len(left)} tests ran on both databases, none skipped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
