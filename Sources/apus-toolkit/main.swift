internal import Commands

Apus.start()
