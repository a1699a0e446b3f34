"""Compares a page with what `skein help --markdown` writes. page.py SKEIN PAGE [--bless]"""

import subprocess
import sys
from pathlib import Path


def main():
    skein, page = sys.argv[1], Path(sys.argv[2])
    written = subprocess.run([skein, "help", "--markdown"], stdout=subprocess.PIPE, check=True,
                             text=True).stdout
    if "--bless" in sys.argv:
        page.write_text(written, encoding="utf-8")
    if page.read_text(encoding="utf-8") != written:
        sys.exit(f"{page} is not what the command says; run: skein help --markdown > {page}")


if __name__ == "__main__":
    main()
