"""``python -m featuresync``: what the door ``./featuresync`` runs."""

from featuresync.cli import main

if __name__ == "__main__":
    main()
