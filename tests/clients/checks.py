"""A list of checks: each runs, each prints one line, and the process fails if one of them did."""

import sys
import traceback

CHECKS = []


def check(function):
    """Marks a function without arguments as a check."""
    CHECKS.append(function)
    return function


def run_all():
    """Runs the checks in the order in which they stand in the file, or those named in the arguments after `--only`."""
    only = sys.argv[sys.argv.index("--only") + 1:] if "--only" in sys.argv else None
    failed = 0
    for function in CHECKS:
        if only is not None and function.__name__ not in only:
            continue
        try:
            function()
        except Exception:
            failed += 1
            print("FAIL", function.__name__)
            traceback.print_exc(file=sys.stdout)
        else:
            print("ok  ", function.__name__)
        sys.stdout.flush()
    print("%d checks, %d failed" % (len(CHECKS) if only is None else len(only), failed))
    sys.exit(1 if failed else 0)


def equal(got, expected):
    assert got == expected, "got %r, expected %r" % (got, expected)


def holds(text, word):
    assert word.lower() in text.lower(), "%r does not hold %r" % (text, word)


def raises(kinds, call):
    """The exception of one of KINDS that CALL raises."""
    try:
        result = call()
    except kinds as error:
        return error
    raise AssertionError("nothing was raised; got %r" % (result,))
