"""The weekly report and the daily digest: stored outcomes -> figures, causes, advice, words and pictures. Sends nothing."""
