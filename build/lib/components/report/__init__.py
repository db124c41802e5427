"""One self-contained HTML page per run: verdict first, then what it rests on."""
