"""The file formats an import understands, one module each; :mod:`.registry` names them."""
