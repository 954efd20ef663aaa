"""What people say when they only want to talk. The answers are the base model's own: see `answers`."""

import random
from typing import Final, Literal

from training.corpus.words import Split, Words, part

Kind = Literal["small", "plain"]
"""Small talk is never a matter of a tool; a plain question may be one, where a tool knows the answer."""

_SMALL: Final = (
    "Hello!", "Hi", "Hi there!", "Hey", "Good morning!", "Good evening.", "How are you?", "How are you today?", "Who are you?",
    "What is your name?", "What can you do?", "Are you a robot?", "Thank you!", "Thanks a lot.", "Thanks for your help!", "Great, thanks!",
    "Bye!", "Good night.", "See you later.", "You are very helpful.", "That's funny.", "Tell me a joke.", "Tell me another joke.",
    "Say something nice.", "I'm bored.", "I'm tired today.", "I had a bad day.", "I just got a new job!", "It's my birthday today.",
    "Do you like music?", "What's your favorite color?", "Can you help me?", "Nice to meet you.", "My name is {first}.", "I'm {first}. Nice to meet you!",
    "I feel a bit sad.", "Wish me luck!", "What do you think about {topic}?", "I love {food}.", "My {animal} is sick.", "I am from {city}.",
    "Do you speak {language}?", "What should I do today?", "Give me a compliment.", "Cheer me up.", "Ok.", "I see.", "Never mind.", "Perfect.",
)  # fmt: skip

_PLAIN: Final = (
    "Explain {topic} in simple words.", "Why is {topic} important?", "Write a short poem about {topic}.", "Write a haiku about the {animal}.",
    "Tell me a short story about a {animal}.", "Give me three tips for {topic}.", "What are the advantages of {topic}?",
    "What is the difference between {topic} and {topic2}?", "How does {topic} work?", "What is {topic}?", "Who invented the telephone?",
    "What is the largest ocean?", "How many legs does a spider have?", "What color is the sky?", "How many days are in a week?",
    "What is the opposite of {adjective}?", "Name three {color} fruits.", "Name five animals.", "What do {animal}s eat?", "Where do {animal}s live?",
    "How long does a {animal} live?", "Write a sentence with the word {adjective}.", "Write a one-sentence description of a {product}.",
    "How do I clean a {product}?", "What is a {product} used for?", "What is {food} made of?", "Where does {food} come from?",
    "What language do people speak in {country}?", "On which continent is {country}?", "Tell me something about {city}.", "Tell me something about {country}.",
    "What is {city} famous for?", "Is {country} larger than {country2}?", "Suggest a name for a {animal}.", "Suggest a name for a company that sells {product}s.",
    "Write a slogan for {company}.", "Write a polite letter to {first}.", "Write a birthday greeting for {first}.", "How do I write a good {file}?",
    "What is the meaning of life?", "Give me a riddle.", "How can I learn {language}?", "Is it hard to learn {language}?", "What is photosynthesis?",
    "What is gravity?", "Why is the sky blue?", "Why do we sleep?", "How do airplanes fly?", "What is democracy?", "Who was Albert Einstein?",
    "Who wrote Romeo and Juliet?", "What is water made of?", "What is the boiling point of water?", "How many continents are there?",
    "What is the speed of light?", "When did World War II end?", "What is the tallest mountain?", "What is the longest river?", "What is a noun?",
    "What is a prime number?", "What is the chemical symbol for gold?", "How do I boil an egg?", "How do I tie a tie?", "How do I stay healthy?",
    "How can I sleep better?", "How can I save money?", "What should I cook with {food}?", "Which is better, {color} or {color2}?",
    "Describe the color {color}.", "Write a Python function that adds two numbers.", "How do I print a line in Python?", "What is HTML?",
    "What is a database?", "What does a {department} department do?", "Give me an example of a {adjective} sentence.", "Rewrite this politely: {sentence}.",
    "Make this shorter: {sentence} and there is nothing to be done about it.", "Make a list of things to pack for {city}.",
    "Give me two reasons to visit {country}.", "Write a product review of a {product}.", "Write a headline about {topic}.", "Summarize the idea of {topic} in one sentence.",
    "Is {topic} dangerous?", "When did {topic} become popular?", "Who would enjoy {topic}?", "What do I need for {topic}?", "Can a {animal} swim?",
    "Can I keep a {animal} as a pet?", "What sound does a {animal} make?", "Compare a {animal} and a {animal2}.", "Spell the word {product}.",
    "What is the capital of {country}?", "Name the capital of {country}.", "Do you know the capital of {country}?",
    "Which city is the capital of {country}?", "What continent is {country} on?", "Who is the author of Hamlet?",
    "How many seconds are in a minute?", "What is the smallest planet?", "Who painted the Mona Lisa?", "What do bees make?",
    "What is the freezing point of water?", "Translate \"thank you\" into {language}.", "How do you say \"good morning\" in {language}?",
    "What is the plural of {animal}?", "Give me a synonym for {adjective}.", "What is the opposite of hot?",
    "Who was the first president of the United States?", "When was the Declaration of Independence signed?", "What is the name of our planet?",
    "What is ice made of?", "Is a {animal} a mammal?", "How many legs does a {animal} have?", "Write one sentence about {city}.",
    "In which country is {city}?", "Which country is {city} in?", "What is {city}?", "Write a thank-you note to {first}.",
    "Give me a name for a {product} shop.", "List three kinds of {food}.", "Name a famous scientist.", "What is 2 plus 2?", "What is ten times ten?",
    "Count from one to five.", "What day comes after Friday?", "Which is the hottest season?", "Write a short text about {company}.",
    "What is the sun?", "Why do leaves fall?", "What is a {product}?", "Should I buy a {product}?", "What rhymes with {adjective}?",
)  # fmt: skip


def prompt(rng: random.Random, words: Words, kind: Kind) -> str:
    """Something to say."""
    text = rng.choice(part(_SMALL if kind == "small" else _PLAIN, words.split))
    for name in (
        "first",
        "topic",
        "food",
        "animal",
        "city",
        "language",
        "adjective",
        "color",
        "product",
        "country",
        "company",
        "department",
    ):
        for field in (f"{{{name}}}", f"{{{name}2}}"):
            if field in text:
                text = text.replace(field, words.one(rng, name))
    if "{file}" in text:
        text = text.replace("{file}", words.one(rng, "file_word"))
    if "{sentence}" in text:
        text = text.replace("{sentence}", f"{words.one(rng, 'sentence_subject')} {words.one(rng, 'sentence_rest')}")
    return text


def prompts(seed: int, split: Split, count: int) -> list[tuple[Kind, str]]:
    """So many different prompts at most, the same for the same seed."""
    rng, words = random.Random(f"chat:{seed}:{split}"), Words(split)
    found: dict[str, Kind] = {}
    for _ in range(count * 4):
        kind: Kind = "small" if rng.random() < 0.2 else "plain"
        found.setdefault(prompt(rng, words, kind), kind)
        if len(found) == count:
            break
    return [(kind, text) for text, kind in found.items()]
