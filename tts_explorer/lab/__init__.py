"""The lab: many searches set against one another at equal cost."""
