"""From bytes to a task: is this a request that can be answered, and what does it ask? Pure.

intake, wording   bytes → the request in its shape, or the API's words for what is wrong
case              the request under its model's rules: what everything here looks at
ladder, rules     the rules in their order, and the rules themselves
tools, media      what the rules and the telling know of tools and files
sealed            what clients carry for this server, opened
told              what the model is told of the conversation"""
