"""`python -m tts_explorer`: the command line."""

from tts_explorer.cli import main

if __name__ == "__main__":
    main()
