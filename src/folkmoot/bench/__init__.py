"""`folkmoot bench`: what this server costs and how fast it is, measured on the machine it runs on."""
