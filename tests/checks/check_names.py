"""No file name occurs twice under src/, nor among the tests: a name is enough to find a file."""
import collections

import tree


def twice(root, paths):
    places = collections.defaultdict(list)
    for path in paths:
        places[path.name].append(tree.place(root, path))
    for name, where in sorted(places.items()):
        if len(where) > 1:
            yield f"{where[0]}: there is another {name}: {', '.join(where[1:])}"


def problems(root, build):
    del build
    yield from twice(root, tree.sources(root, "src"))
    yield from twice(root, (path for path in tree.sources(root, "tests") if path.suffix == ".c"))


if __name__ == "__main__":
    tree.main(problems)
