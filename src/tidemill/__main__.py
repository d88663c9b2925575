from tidemill.cli.program import main

main()
