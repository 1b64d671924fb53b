"""The core is pure: what the compiled layers need from outside, and what they keep, shows it.

Undefined symbols of a pure layer are memcpy and its sisters, the one that assert calls, the compiler's
runtime, and what the layers that it stands on define. None of their objects has a byte of writable data; constant tables
of pointers (.data.rel.ro) are written by the loader only. The simulator may allocate and read files,
but must take neither time nor chance from the system.
"""
import re

import check_layers
import tree

OUTSIDE = {"memcpy", "memmove", "memset", "memcmp", "memchr", "__assert_fail",
           "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_", "__udivti3", "__umodti3", "__divti3", "__modti3",
           "__udivmodti4", "__muloti4", "__popcountdi2"}
NOT_IN_SIM = re.compile(
    r"^(time|clock|clock_\w+|gettimeofday|rand|rand_r|srand|random|srandom|\w*rand48\w*|getrandom|"
    r"getentropy|arc4random\w*|getpid|sleep|usleep|nanosleep|poll|select|epoll_\w+|socket|pthread_\w+)$")
WRITABLE = re.compile(r"^\.(data|bss|tdata|tbss|sdata|sbss)(\.(?!rel\.ro)|$)|^COMMON$")


def undefined(archive):
    """Pairs of object and a symbol that it wants."""
    for line in tree.output("nm", "-A", "--undefined-only", str(archive)).splitlines():
        where, _, symbol = line.rpartition(" ")
        yield where.split(":")[1], symbol


def defined(archive):
    for line in tree.output("nm", "--defined-only", "--extern-only", str(archive)).splitlines():
        if len(line.split()) == 3:
            yield line.split()[2]


def writable(archive):
    """Triples of object, section and size, for sections that a program could write to."""
    member = None
    for line in tree.output("objdump", "-h", "-w", str(archive)).splitlines():
        head = re.match(r"^(\S+):\s+file format", line)
        row = re.match(r"^\s*\d+ (\S+)\s+([0-9a-f]+) ", line)
        if head:
            member = head[1]
        elif row and WRITABLE.match(row[1]) and int(row[2], 16):
            yield member, row[1], int(row[2], 16)


def symbols_in(archive, member, section):
    """The names of what lies in a section, for the message."""
    current, names = None, []
    for line in tree.output("objdump", "-t", str(archive)).splitlines():
        head = re.match(r"^(\S+):\s+file format", line)
        if head:
            current = head[1]
        fields = line.split()
        if current == member and len(fields) >= 5 and section in fields and fields[-1] != section:
            names.append(fields[-1])
    return ", ".join(names) or "no name"


def problems(root, build):
    del root
    archives = {layer: build / f"libstrata_{layer}.a" for layer in tree.PURE}
    archives = {layer: path for layer, path in archives.items() if path.exists()}
    if not archives:
        yield f"{build}: no layer is built"
    symbols = {layer: set(defined(path)) for layer, path in archives.items()}
    for layer, path in archives.items():
        below = OUTSIDE.union(*(symbols.get(name, ()) for name in check_layers.MAY[layer]))
        for member, symbol in undefined(path):
            if symbol not in below:
                where = next((f"of {name}" for name in symbols if symbol in symbols[name]), "not ours")
                yield f"{layer}/{member}: wants {symbol}, which is {where}"
        for member, section, size in writable(path):
            names = symbols_in(path, member, section)
            yield f"{layer}/{member}: {size} writable bytes in {section} ({names})"
    if (build / "libstrata_sim.a").exists():
        for member, symbol in undefined(build / "libstrata_sim.a"):
            if NOT_IN_SIM.match(symbol):
                yield f"sim/{member}: calls {symbol}: time and chance are the simulator's own"


if __name__ == "__main__":
    tree.main(problems)
