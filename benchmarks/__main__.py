"""`python -m benchmarks`. Worker processes run this file too, under another name: they import nothing here."""

if __name__ == "__main__":
    from benchmarks.command import main

    main()
