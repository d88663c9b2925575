"""What `tidemill test` does: reads files of cases, runs or plays them, checks what came, and reports."""
