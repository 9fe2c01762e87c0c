"""The page: `python app.py`, and what a Hugging Face Space runs."""

from tts_explorer.app import serve

if __name__ == "__main__":
    serve()
