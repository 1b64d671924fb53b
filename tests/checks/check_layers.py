"""A file includes only what its layer may stand on.

base < wire < packet < access < internet < transport < stack < socket < application < api < cli.
transport/recovery includes base only, transport/congestion also the samples of recovery; diag stands on packet; host, sim and
posix stand on the sockets, and sim's machines run applications as well; drill stands on posix. Public headers include public
headers only, and examples see nothing else.
"""
import re

import tree

ORDER = ("base", "wire", "packet", "access", "internet", "transport", "stack", "socket", "application")
MAY = {layer: set(ORDER[:index + 1]) for index, layer in enumerate(ORDER)}
MAY["transport/recovery"] = {"base", "transport/recovery"}
MAY["transport/congestion"] = {"base", "transport/recovery", "transport/congestion"}
MAY["diag"] = {"base", "wire", "packet", "diag"}
MAY["posix"] = MAY["socket"] | {"posix"}
MAY["drill"] = MAY["posix"] | {"drill"}
MAY["host"] = MAY["socket"] | {"host"}
MAY["sim"] = MAY["application"] | {"sim"}
MAY["api"] = MAY["application"] | {"host", "sim", "diag", "posix", "drill", "api", "strata"}
MAY["cli"] = MAY["api"] | {"cli"}
MAY["strata"] = {"strata"}
MAY["examples"] = {"strata"}

# Headers that bring no system with them, and the compiler's own for vector instructions.
FREESTANDING = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h", "stdalign.h", "limits.h", "string.h",
                "assert.h", "immintrin.h", "emmintrin.h", "smmintrin.h", "tmmintrin.h", "wmmintrin.h"}
# The simulator has its own time and its own chance.
NOT_IN_SIM = re.compile(r"^(time\.h|pthread\.h|threads\.h|unistd\.h|errno\.h|sys/.*|linux/.*|net.*/.*)$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def layer_of(root, path):
    """The layer that a file belongs to, and the part of a layer where that has a rule of its own."""
    parts = path.relative_to(root).parts
    if parts[0] == "include":
        return "strata"
    if parts[0] != "src":
        return parts[0]
    return inner(parts[1:])


def inner(parts):
    part = "/".join(parts[:2])
    return part if part in MAY else parts[0]


def problem(root, layer, kind, name):
    """What is wrong with one include, or None."""
    if kind == "<":
        if layer in tree.PURE or layer in MAY and layer.startswith("transport/"):
            return None if name in FREESTANDING else f"<{name}>: {layer} is pure, and knows no system"
        if layer in ("sim", "drill") and NOT_IN_SIM.match(name):
            return f"<{name}>: {layer} has a time and a chance of its own"
        return None
    if layer == "cli" and (root / "cli" / name).is_file():
        return None
    places = [root / "src" / name, root / "include" / name, root / name]
    if "/" not in name or not any(place.is_file() for place in places):
        return f'"{name}": not a header of src/ or include/ (write "layer/file.h")'
    target = inner(name.split("/"))
    allowed = MAY[layer]
    if target in allowed or target.startswith("transport/") and "transport" in allowed:
        return None
    return f'"{name}": {layer} may include only {", ".join(sorted(allowed))}'


def problems(root, build):
    del build
    for path in tree.sources(root, "src", "include", "cli", "examples"):
        layer = layer_of(root, path)
        if layer not in MAY:
            yield f"{tree.place(root, path)}: no layer is called {layer}"
            continue
        text = tree.without_comments(path.read_text(errors="replace"))
        for number, line in enumerate(text.splitlines(), start=1):
            found = INCLUDE.match(line)
            wrong = found and problem(root, layer, found[1], found[2])
            if wrong:
                yield f"{tree.place(root, path, number)}: includes {wrong}"


if __name__ == "__main__":
    tree.main(problems)
