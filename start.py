#!/usr/bin/env python3
"""Install Tidemill into `.venv` and start it. Needs Python 3.11 or newer and nothing else.

python3 start.py                 install on first use, start, open the page; options go to `tidemill serve`
python3 start.py test            install what the tests need and run them; arguments go to pytest
python3 start.py install [--dev] only install
python3 start.py console         build the console again
python3 start.py sandbox         fetch the interpreter of code nodes again
"""

import os
import shutil
import subprocess
import sys

NEWEST_FIRST = ("python3.14", "python3.13", "python3.12", "python3.11")

if sys.version_info < (3, 11):
    for name in NEWEST_FIRST:
        found = shutil.which(name)
        if found:
            sys.exit(subprocess.call([found] + sys.argv))
    sys.exit(
        "Tidemill needs Python 3.11 or newer; this is %d.%d. Install a newer Python and run this again with it."
        % sys.version_info[:2]
    )

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "scripts"))

import install  # noqa: E402 - the check above has to come first

sys.exit(install.main(sys.argv[1:]))
