"""Pictures of searches, made from the event stream: the page's log, the terminal tree."""
