"""How the bundled models are made: data, tokenizer, policies, process reward models. Nothing here is needed to run a search."""
