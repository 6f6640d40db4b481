"""How people find each other: by name, in the directory, by suggestion, by whom both follow."""
