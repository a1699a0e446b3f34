"""core/ does no I/O, reads no clock, no environment and no randomness, and starts no thread."""

import re
import subprocess
import sys
from pathlib import Path

import tree

BANNED = [
    r"_clock::now",
    r"random_device",
    r"^(secure_)?getenv$",
    r"^(s?rand|rand_r|s?random|[dlm]rand48|arc4random|getrandom|getentropy|RAND_\w+)$",
    r"^(fopen|fopen64|freopen|open|open64|openat|openat64|creat|popen|system|tmpfile)$",
    r"basic_[io]?fstream|basic_filebuf",
    r"std::filesystem::(?!.*path::)",
    r"^(socket|connect|bind|accept4?|listen|getaddrinfo)$",
    r"^(pthread_create|thrd_create|fork|vfork|posix_spawnp?|execv\w*)$",
    r"std::thread::|std::jthread",
    r"^(time|clock|clock_gettime|gettimeofday|nanosleep|usleep|sleep)$",
    r"^(SSL|BIO)_",
]
SYMBOL = re.compile(r"^\s*[Uw] (.+)$")


def main():
    args = tree.arguments(__doc__, ("--library", {"type": Path, "required": True}))
    report = tree.Report(args.root)
    listing = subprocess.run(["nm", "-C", "-u", args.library], check=True, capture_output=True,
                             text=True).stdout
    member, count = "", 0
    for line in listing.splitlines():
        if line.endswith(".o:"):
            member = line[:-1]
        found = SYMBOL.match(line)
        if not found:
            continue
        count += 1
        for pattern in BANNED:
            if re.search(pattern, found.group(1)):
                report.fail(member, 0, f"uses {found.group(1)}")
    if count == 0:
        sys.exit(f"{args.library}: nm lists no undefined symbol, so nothing was checked")
    report.finish(f"{count} symbols of {args.library.name}")


if __name__ == "__main__":
    main()
