def pytest_addoption(parser):
    parser.addoption("--update", action="store_true", help="writes the snapshots instead of comparing them")
