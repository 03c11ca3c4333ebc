"""`python -m app VERB …`: the engine without a browser."""

from app.cli.main import main

if __name__ == "__main__":  # spawned workers import this file under another name
    main()
