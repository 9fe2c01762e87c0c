"""The page: what a visitor sees. It reads events and knows no model class."""
