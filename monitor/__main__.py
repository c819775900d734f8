"""`python -m monitor` is `replyby`."""

from monitor.cli import main

if __name__ == "__main__":
    main()
