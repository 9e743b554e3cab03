"""The admin: one module per noun, all registered with the one site; ``studio.admin.nouns`` imports them."""
