"""One server for engines in several processes: its owner gives out the slots, the others ask for them.

line       what goes between the two
sharing    the owner's side, for one of the others
attached   the other side: a `Home` whose process belongs to the owner"""
