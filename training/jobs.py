"""The jobs of tools that are written by hand, to train on and held out."""

from typing import Final

from training.actions import Action, Outcome, cut
from training.words import Split


def _ask(
    noun: str,
    objects: str,
    slots: str,
    about: str,
    facts: str,
    also: str = "",
    verbs: str = "get|fetch|look_up|check|find",
) -> Action:
    return Action(
        "ask",
        cut(verbs),
        (),
        noun,
        cut(objects),
        tuple(slots.split()),
        cut(about),
        "facts",
        cut(facts),
        cut(also),
    )


def _do(
    verbs: str,
    spoken: str,
    noun: str,
    objects: str,
    slots: str,
    about: str,
    outcome: Outcome,
    also: str = "",
    facts: str = "",
) -> Action:
    return Action(
        "do",
        cut(verbs),
        cut(spoken),
        noun,
        cut(objects),
        tuple(slots.split()),
        cut(about),
        outcome,
        cut(facts),
        cut(also),
    )


# fmt: off
WRITTEN: Final[dict[Split, tuple[Action, ...]]] = {
    "train": (
        _ask("weather", "the weather|the current weather|the weather like", "city temp_unit?", "Get the current weather in a given location.|Get the current weather for a location.|Current weather conditions of a place.", "temperature|conditions|humidity|wind",
             "What's the weather like {city}?|How's the weather {city} {temp_unit}?|Is it raining {city}?|Will I need an umbrella {city}?|How warm is it {city} right now?|Do I need a coat {city}?|What is the temperature {city}?"),
        _ask("weather", "the weather|the current weather", "us_city temp_unit?", "Get the current weather in a given location.|Weather now, for a city in the US.", "temperature|conditions", "What's the weather like {us_city}?|What is the weather {us_city} today?|How hot is it {us_city}?"),
        _ask("forecast", "the forecast|the weather forecast", "city day?", "Weather forecast of the next days for a place.", "high|low|conditions", "What will the weather be {city} {day}?|Is it going to snow {city} {day}?"),
        _ask("time", "the time|the local time|the current time", "city", "Get the current time in a city.|The local time of a place.", "time|time zone", "What time is it {city}?|What's the time {city} right now?|How late is it {city}?"),
        _ask("stock_price", "the stock price|the share price|the price of the stock", "ticker", "Retrieves the current stock price for a given ticker symbol.|Latest trade price of a stock, in USD.", "price|change", "How is {ticker} doing today?|What's the price {ticker}?|What is the current price {ticker}?|Where does {ticker} trade?"),
        _ask("exchange_rate", "the exchange rate", "from_currency to_currency", "Rate between two currencies.", "rate", "What's the rate {from_currency} {to_currency}?"),
        _do("convert", "convert|change|turn", "currency", "", "amount from_currency to_currency", "Convert an amount of money from one currency to another.", "number", "Convert {=amount} {=from_currency} to {=to_currency}.|How much is {=amount} {=from_currency} in {=to_currency}?|I have {=amount} {=from_currency}. What is that in {=to_currency}?|What's {=amount} {=from_currency} in {=to_currency}?"),
        _do("calculate|evaluate|compute", "calculate|work out|compute", "expression", "", "expression", "Perform arithmetic calculations.|Evaluates a math expression and returns the number.|A calculator for arithmetic.", "number", "What is {=expression}?|Calculate {=expression}.|How much is {=expression}?|Can you work out {=expression}?|{=expression} = ?|Compute {=expression} please."),
        _do("query|run", "run|execute", "database", "the query|this query|the SQL query", "sql", "Query the product database.|Runs a SQL query on the database and returns the rows.", "found"),
        _do("search|look_up", "search|look", "web", "the web|the internet|online", "query count?", "Searches the web and returns the best pages.|Search the internet for information.", "found", "Search for {=query}.|Look up {=query} online.|Find pages about {=query}.|What's new about {=query}?|Find information on {=query} on the web."),
        _ask("news", "the news|the latest news|the headlines", "topic? category? count?", "Latest news articles.|Current headlines, by topic.", "headline|source", "What's the latest {topic}?|Any news {topic}?|Show me the news {topic} {count}."),
        _ask("distance", "the distance|how far it is|the route", "from_city to_city mode?", "Distance and travel time between two cities.", "distance|duration", "How far is it {from_city} {to_city}?|How long does it take {from_city} {to_city} {mode}?"),
        _ask("population", "the population|the number of inhabitants", "country", "Population of a country.", "population|year", "How many people live {country}?|How big is the population {country}?"),
        _ask("capital", "the capital", "country", "Capital city of a country.", "capital", "Which city is the capital {country}?"),
        _do("search|find", "find|search for|look for", "flights", "flights|a flight", "from_city to_city date guests?", "Find flights between two cities on a date.|Searches for available flights.", "found", "Find me a flight {from_city} {to_city} {date}.|I need to fly {from_city} {to_city} {date}.|Are there flights {from_city} {to_city} {date}?"),
        _do("book|reserve", "book|reserve", "hotel", "a hotel|a hotel room|a room", "city date guests? size?", "Book a hotel room in a city.", "made", "I need a hotel {city} {date}."),
        _do("find|search", "find|recommend|suggest", "restaurants", "restaurants|a restaurant|places to eat", "city category? price_range?", "Find restaurants in a place.", "found", "Where can I eat {city}?|I'm hungry. What is there {city}?"),
        _do("reserve|book", "reserve|book", "table", "a table", "guests day time", "Reserve a table in the restaurant.", "made", "Can I get a table {guests} {day} {time}?"),
        _do("send|write", "send|write", "email", "an email|an e-mail|a mail", "email title? message", "Send an e-mail.|Sends an email to one address.", "sent", "Email {=email} {message}.|Write to {=email} {message}."),
        _do("send|post", "send|post", "message", "a message|a text|a text message", "to_person message channel?", "Send a message to a person.", "sent", "Tell {=to_person}: {=message}|Text {=to_person} {message}.|Let {=to_person} know: \"{=message}\""),
        _do("set|create|add", "set|create|add", "reminder", "a reminder", "title date? time?", "Set a reminder.|Creates a reminder for the user.", "made", "Remind me: \"{=title}\" {date} {time}.|Don't let me forget \"{=title}\" {date}."),
        _do("set|start", "set|start", "timer", "a timer", "minutes", "Start a timer.", "made", "Set a timer {minutes}.|Wake me in {=minutes} minutes.|Timer for {=minutes} minutes please."),
        _do("set|create", "set", "alarm", "an alarm|my alarm", "time day?", "Set an alarm.", "made", "Wake me up at {=time} {day}.|I have to get up at {=time} {day}."),
        _do("create|add|schedule", "create|add|schedule|set up", "event", "an event|a meeting|an appointment", "title date time? minutes? people?", "Adds an event to the calendar.|Schedule a meeting.", "made", "Put \"{=title}\" in my calendar {date} {time}."),
        _do("list|get|show", "list|show|show me", "events", "my events|my appointments|my meetings", "day", "List the events of a day.", "found", "What do I have {day}?|What's on my calendar {day}?|Am I free {day}?"),
        _do("translate", "translate", "text", "", "message language", "Translate a text into another language.", "text", "Translate \"{=message}\" {language}.|How do you say \"{=message}\" {language}?|Put \"{=message}\" {language}."),
        _do("play", "play|put on", "song", "the song|the track", "song artist?", "Play a song.", "changed", "I want to hear \"{=song}\" {artist}.|Play {=song} {artist}.|Put on \"{=song}\"."),
        _do("set|change", "set|change|turn", "volume", "the volume", "percent", "Set the volume of the speaker.", "changed", "Make it {=percent}% loud."),
        _do("set|dim", "set|dim", "lights", "the lights|the lamps", "percent? color?", "Control the lights.", "changed", "Make the lights {=color}."),
        _do("set", "set|change", "thermostat", "the thermostat|the heating", "decimal temp_unit?", "Set the temperature of the heating.", "changed", "Set the heating to {=decimal}.|Set the thermostat to {=decimal}.|I'd like it {=decimal} degrees in here."),
        _do("read|open|get", "read|open|show me", "file", "", "path", "Read a file and return its content.|Returns the text of a file.", "text", "What's in {=path}?|Open {=path}.|Read {=path} for me.|Show me the content of {=path}."),
        _do("write|save", "write|save", "file", "", "message path", "Write a text into a file.", "changed", "Write \"{=message}\" to {=path}.|Save the text \"{=message}\" as {=path}.|Put \"{=message}\" into {=path}."),
        _do("delete|remove", "delete|remove", "file", "the file", "path", "Delete a file.", "gone", "Delete {=path}.|Remove {=path}.|I don't need {=path} any more. Delete it."),
        _do("list", "list|show", "files", "the files|all files", "path? flag?", "List the files of a folder.", "found"),
        _do("fetch|open|get", "fetch|open|get|load", "page", "the page|the web page", "url", "Fetch a web page and return its text.", "text", "What does {=url} say?|Read {=url}.|Open {=url} and tell me what it says."),
        _do("search|find", "find|search for", "recipes", "recipes|a recipe", "food count?", "Find recipes.", "found", "How do I make {=food}?|What do I need for {=food}?"),
        _do("suggest|find", "suggest|find", "meals", "a meal|something to cook", "ingredients", "Suggest a meal from ingredients.", "text", "What can I cook {ingredients}?"),
        _ask("movie", "the movie|details of the movie", "title", "Details about a movie.", "year|director|rating", "Who directed \"{=title}\"?|When did \"{=title}\" come out?"),
        _ask("book", "the book|details of the book", "book", "Details about a book: its author, year and pages.", "author|year|pages", "Who wrote \"{=book}\"?|How many pages has \"{=book}\"?"),
        _do("define|look_up", "define|look up", "word", "", "topic", "Definition of a word from the dictionary.", "text", "What does \"{=topic}\" mean?|Define {=topic}.|Look up {=topic} in the dictionary."),
        _do("summarize", "summarize|sum up", "document", "", "path minutes?", "Summarize a document.", "text", "Give me a summary of {=path}.|Summarize {=path}.|What is {=path} about?"),
        _do("order|place", "order|place an order", "items", "", "items street_address?", "Place an order for products.", "made", "I'd like to order {=items}.|Order {=items} {street_address}.|Please send me {=items}."),
        _ask("order_status", "the status of my order|my order", "id", "Status of an order.", "status|carrier|delivery date", "Where is my order {id}?|Has order {=id} shipped?|When does order {=id} arrive?"),
        _ask("product_price", "the price|the cost", "product", "Price of a product.", "price|stock", "How much is the {=product}?|What does the {=product} cost?|Is the {=product} in stock?"),
        _do("search|find", "find|search for|look for", "products", "products|items", "query price_range? sort? count?", "Search the product catalogue.", "found", "I'm looking for {=query} {price_range}."),
        _do("create|open|file", "create|open|file", "ticket", "a ticket|a support ticket|an issue", "title priority? tags?", "Open a support ticket.", "made", "Report a problem: \"{=title}\" {priority}."),
        _do("close|resolve", "close|resolve", "ticket", "the ticket|ticket", "number_id message?", "Close a ticket.", "changed", "Ticket {=number_id} is done. Close it."),
        _do("assign", "assign|give", "ticket", "the ticket|ticket", "number_id person", "Assign a ticket to a person.", "changed", "Give ticket {=number_id} to {=person}."),
        _do("add|create|save|record", "add|create|save", "contact", "a contact|a new contact", "contact phone? tags?", "Save a contact.|Record a person's name and e-mail address.", "made", "Save {=contact} {tags}.|Add {=contact} to my contacts."),
        _do("find|get|look_up", "find|look up|get", "customer", "the customer|a customer", "email", "Find a customer by e-mail address.", "facts", "Who is the customer {email}?", "name|customer ID|plan"),
        _do("transfer|send", "transfer|send", "money", "money", "amount to_person message?", "Transfer money to a person.", "made", "Pay {=to_person} {=amount}.|Send {=amount} to {=to_person}."),
        _ask("balance", "the balance|my balance|the account balance", "id?", "Balance of the user's account.", "balance|currency", "How much money do I have?|What's left on my account?"),
        _do("create|make", "create|make", "invoice", "an invoice", "company amount due?", "Create an invoice for a company.", "made", "Bill {=company} {=amount}."),
        _do("average|analyze", "average|analyze", "numbers", "", "numbers", "Statistics of a list of numbers: mean, smallest and largest.", "number", "What is the average {numbers}?|Analyze the numbers {=numbers}.|What's the mean of {=numbers}?"),
        _do("plan", "plan", "route", "a route|a trip", "cities mode?", "Plan a route through several cities.", "text", "What's the best way to visit {=cities}?"),
        _do("roll|throw", "roll|throw", "dice", "the dice|dice", "count", "Roll dice.", "number", "Roll {=count} dice.|Throw {=count} dice for me."),
        _do("generate|create|draw", "generate|draw|create", "image", "a picture|an image", "topic style? size?", "Draw a picture.", "made", "Draw me something about {=topic}."),
        _do("shorten", "shorten", "url", "", "url", "Make a short link.", "text", "Shorten {=url}.|Make {=url} shorter.|Give me a short link for {=url}."),
        _do("record|save", "record|write down|save", "summary", "a summary", "title tags? priority", "Record a summary of the conversation using well-structured JSON.", "made"),
    ),
    "held": (
        _ask("air_quality", "the air quality|the air", "city", "Measures how clean the air of a city is.", "index|main pollutant", "How clean is the air {city}?|Is the air bad {city} today?"),
        _ask("tide_times", "the tides|the tide times", "city date?", "When the tide is high and low at a place by the sea.", "high tide|low tide", "When is high tide {city} {date}?"),
        _ask("sunset", "the time of sunset|sunset", "city date?", "Time at which the sun goes down.", "sunset", "When does the sun set {city} {date}?|How late will it get dark {city} {date}?"),
        _ask("bus_arrivals", "the next buses|the bus arrivals", "id count?", "Next arrivals at a bus stop.", "line|minutes", "When does the next bus leave from stop {=id}?"),
        _ask("opening_hours", "the opening hours", "company day?", "Opening hours of a business.", "opens|closes", "When does {=company} open {day}?|Until when is {=company} open {day}?"),
        _ask("calories", "the calories|the nutrition facts", "food", "Nutrition facts of a dish.", "calories|protein", "How many calories are in {=food}?|Is {=food} healthy?"),
        _ask("dividend", "the dividend", "ticker", "Last dividend that a share paid.", "dividend|date", "What dividend does {=ticker} pay?"),
        _ask("visa_rules", "the visa rules|the entry requirements", "country", "What travellers need to enter a country.", "visa|days", "Do I need a visa for {=country}?"),
        _do("rent|hire", "rent|hire|get me", "car", "a car|a rental car", "city date size?", "Rent a car in a city.", "made", "I need a car {city} {date}."),
        _do("water|irrigate", "water|irrigate", "garden", "the garden|the plants", "minutes", "Water the garden.", "changed", "The plants look dry. Give them {=minutes} minutes of water."),
        _do("open|raise", "open|raise", "blinds", "the blinds|the shutters", "percent", "Move the window blinds.", "changed", "Raise the blinds {percent}."),
        _do("compress|zip", "compress|zip|pack", "file", "", "path format?", "Pack a file into an archive.", "made", "Compress {=path}.|Make an archive of {=path}.|Zip {=path} for me."),
        _do("transcribe", "transcribe|write out", "audio", "", "path language?", "Turn speech of a sound file into text.", "text", "Transcribe {=path} {language}.|What is said in {=path}?"),
        _do("renew|extend", "renew|extend", "loan", "my loan|the loan", "book", "Extend the loan of a library book.", "changed", "I'd like to keep \"{=book}\" a bit longer."),
        _do("donate|give", "donate|give", "money", "", "amount company", "Give money to an organization.", "made", "Donate {=amount} to {=company}.|Give {=amount} to {=company}."),
        _do("invite", "invite|ask", "guests", "", "people title date", "Invite people to a party or another event.", "sent", "Invite {=people} to \"{=title}\" {date}."),
        _do("feed", "feed|give food to", "pet", "the pet|my pet", "animal time?", "Feed a pet with the automatic feeder.", "changed", "The {=animal} is hungry. Feed it {time}."),
        _do("measure|convert", "convert", "length", "", "decimal style?", "Convert a length from miles to kilometers.", "number", "How many kilometers are {=decimal} miles?|Convert {=decimal} miles to kilometers."),
        _do("ship|dispatch", "ship|dispatch", "parcel", "the parcel|a parcel", "street_address flag?", "Send a parcel to an address.", "made", "Get the parcel {street_address}."),
        _do("subscribe", "subscribe to|sign up for", "newsletter", "the newsletter", "email topic?", "Subscribe an address to a newsletter.", "made", "Sign {=email} up for the newsletter {topic}."),
        _do("block", "block|blacklist", "number", "the number|calls", "phone", "Block calls from a phone number.", "changed", "I don't want calls from {=phone} any more."),
        _do("check|verify", "check|verify", "spelling", "the spelling|the grammar", "message language?", "Find mistakes in a text.", "text", "Is \"{=message}\" spelled correctly?"),
    ),
}
# fmt: on


def written(split: Split) -> tuple[Action, ...]:
    """The jobs of a split."""
    return WRITTEN[split]
