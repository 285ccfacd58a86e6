"""What a person is told along the way. Standard output is for the results alone."""

import sys


def tell(text):
    print(text, file=sys.stderr, flush=True)
