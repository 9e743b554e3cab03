"""Changes of specs and their effects, verb first; each takes the actor and does all of it or nothing."""
