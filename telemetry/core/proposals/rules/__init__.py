"""The rules, by what they are about. Each judges one signal, and answers with a suggestion or nothing."""
