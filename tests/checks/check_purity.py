"""The core is pure: what the compiled layers need from outside, and what they keep, shows it.

Undefined symbols of a pure layer are memcpy and its sisters, the one that assert calls, the compiler's
runtime, and what the layers that it stands on define. None of their objects has a byte of writable data; constant tables
of pointers (.data.rel.ro) are written by the loader only. The simulator and the
runner of scripts may allocate and read files, but must take neither time nor chance from the system.
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
WRITABLE = re.compile(r"^\.(data|bss|tdata|tbss)(\.(?!rel\.ro)|$)")


def tables(archive, option):
    """Pairs of object and fields, for each row that readelf prints. (nm and objdump would read a fat
    object's intermediate code, which does not know yet what the compiler will call.)"""
    member = None
    for line in tree.output("readelf", "-W", option, str(archive)).splitlines():
        head = re.match(r"^File: .*\((.*)\)$", line)
        if head:
            member = head[1]
        row = re.match(r"^\s*\[?\s*\d+[\]:] (.*)", line)
        if row and member:
            yield member, row[1].split()


def symbols(archive):
    """Object, index of the section (or UND, COM), binding and name of each symbol."""
    for member, fields in tables(archive, "--symbols"):
        if len(fields) >= 7:
            yield member, fields[5], fields[3], fields[6]


def undefined(archive):
    """Pairs of object and a symbol that it wants."""
    for member, section, _, name in symbols(archive):
        if section == "UND":
            yield member, name


def defined(archive):
    for _, section, binding, name in symbols(archive):
        if section != "UND" and binding != "LOCAL":
            yield name


def writable(archive):
    """Object, name, number and size of each section that a program could write to."""
    number = {}
    for member, fields in tables(archive, "--sections"):
        number[member] = number.get(member, -1) + 1
        if len(fields) >= 5 and WRITABLE.match(fields[0]) and int(fields[4], 16):
            yield member, fields[0], str(number[member]), int(fields[4], 16)
    for member, section, _, name in symbols(archive):
        if section == "COM":
            yield member, name, section, 1


def symbols_in(archive, member, section):
    """The names of what lies in a section, for the message."""
    return ", ".join(name for where, index, _, name in symbols(archive)
                     if where == member and index == section and not name.startswith(".")) or "no name"


def problems(root, build):
    del root
    archives = {layer: build / f"libstrata_{layer}.a" for layer in tree.PURE}
    archives = {layer: path for layer, path in archives.items() if path.exists()}
    if not archives:
        yield f"{build}: no layer is built"
    ours = {layer: set(defined(path)) for layer, path in archives.items()}
    for layer, path in archives.items():
        below = OUTSIDE.union(*(ours.get(name, ()) for name in check_layers.MAY[layer]))
        for member, symbol in undefined(path):
            if symbol not in below:
                where = next((f"of {name}" for name in ours if symbol in ours[name]), "not ours")
                yield f"{layer}/{member}: wants {symbol}, which is {where}"
        for member, section, number, size in writable(path):
            names = symbols_in(path, member, number)
            yield f"{layer}/{member}: {size} writable bytes in {section} ({names})"
    for layer in ("sim", "drill"):
        if (build / f"libstrata_{layer}.a").exists():
            for member, symbol in undefined(build / f"libstrata_{layer}.a"):
                if NOT_IN_SIM.match(symbol):
                    yield f"{layer}/{member}: calls {symbol}: time and chance are the simulator's own"


if __name__ == "__main__":
    tree.main(problems)
