"""Every fuzz target starts from a corpus, and every corpus has a target."""
import tree


def problems(root, build):
    del build
    fuzz = root / "tests/fuzz"
    nouns = {path.stem.removeprefix("fuzz_") for path in fuzz.glob("fuzz_*.c")}
    corpora = {path.name for path in fuzz.glob("corpus/*") if path.is_dir()}
    for noun in sorted(nouns):
        folder = fuzz / "corpus" / noun
        if not folder.is_dir() or not any(path.is_file() for path in folder.iterdir()):
            yield f"tests/fuzz/fuzz_{noun}.c: nothing in tests/fuzz/corpus/{noun}"
    for noun in sorted(corpora - nouns):
        yield f"tests/fuzz/corpus/{noun}: there is no tests/fuzz/fuzz_{noun}.c"


if __name__ == "__main__":
    tree.main(problems)
