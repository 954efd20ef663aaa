"""The words that examples are made of. Every list has a held-out part that no training example draws from."""

import random
import zlib
from collections.abc import Sequence
from typing import Final, Literal

Split = Literal["train", "held"]

_HELD_OF_TEN: Final = 2


def part(words: Sequence[str], split: Split) -> list[str]:
    """The words of a split: about a fifth of every list is held out, by the word itself, so lists may grow."""
    chosen = [word for word in words if (zlib.crc32(word.encode()) % 10 < _HELD_OF_TEN) == (split == "held")]
    return chosen or list(words)


class Words:
    """Draws from the lists, for one split."""

    def __init__(self, split: Split) -> None:
        self.split: Split = split
        self._lists = {name: part(words, split) for name, words in LISTS.items()}

    def one(self, rng: random.Random, name: str) -> str:
        """A word of the list, or one that nobody has seen before: such words can only be copied, letter by letter."""
        if self.split == "train" and name in _INVENTED and rng.random() < _INVENTED_SHARE:
            return _invented(rng, capital=_INVENTED[name])
        return rng.choice(self._lists[name])

    def several(self, rng: random.Random, name: str, count: int) -> list[str]:
        """Different words of the list, as many as there are at most."""
        return rng.sample(self._lists[name], min(count, len(self._lists[name])))


_INVENTED: Final = {
    "city": True, "country": True, "first": True, "last": True, "company": True, "book": True, "song": True, "product": False,
    "food": False, "topic": False, "user_word": False, "domain_word": False, "file_word": False, "folder": False, "color": False,
    "animal": False, "tag": False, "language": True,
}  # fmt: skip
"""Lists whose words may be invented, and whether those begin with a capital."""

_INVENTED_SHARE: Final = 0.2

_SOUNDS: Final = (
    [
        "b",
        "c",
        "d",
        "f",
        "g",
        "h",
        "j",
        "k",
        "l",
        "m",
        "n",
        "p",
        "r",
        "s",
        "t",
        "v",
        "w",
        "z",
        "br",
        "cr",
        "dr",
        "fl",
        "gl",
        "kr",
        "pl",
        "qu",
        "sh",
        "sl",
        "st",
        "th",
        "tr",
    ],
    ["a", "e", "i", "o", "u", "a", "e", "i", "o", "u", "ai", "ea", "oo"],
)

_CLOSINGS: Final = ("", "", "", "n", "r", "s", "l", "m", "t", "nd", "x", "rk")


def _invented(rng: random.Random, *, capital: bool) -> str:
    onsets, vowels = _SOUNDS
    words: list[str] = []
    for _ in range(rng.choice([1, 1, 2])):
        word = "".join(
            rng.choice(onsets) + rng.choice(vowels) + rng.choice(_CLOSINGS) for _ in range(rng.randint(1, 3))
        )
        words.append(word.capitalize() if capital else word)
    return (" " if capital else rng.choice(["", "-"])).join(words)


def _cut(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in " ".join(text.split()).split(",") if word.strip())


LISTS: Final[dict[str, tuple[str, ...]]] = {
    "city": _cut("""
        Paris, London, Rome, Berlin, Madrid, Lisbon, Vienna, Prague, Warsaw, Budapest, Athens, Dublin, Oslo, Stockholm,
        Helsinki, Copenhagen, Brussels, Amsterdam, Zurich, Geneva, Milan, Naples, Turin, Florence, Venice, Barcelona,
        Valencia, Seville, Porto, Lyon, Marseille, Nice, Bordeaux, Hamburg, Munich, Cologne, Frankfurt, Dresden, Leipzig,
        Krakow, Gdansk, Riga, Tallinn, Vilnius, Minsk, Kyiv, Lviv, Odesa, Bucharest, Sofia, Belgrade, Zagreb, Ljubljana,
        Sarajevo, Skopje, Tirana, Istanbul, Ankara, Izmir, Tbilisi, Yerevan, Baku, Cairo, Alexandria, Casablanca, Rabat,
        Tunis, Algiers, Lagos, Accra, Dakar, Nairobi, Kampala, Addis Ababa, Kigali, Johannesburg, Cape Town, Durban, Dubai,
        Abu Dhabi, Doha, Riyadh, Muscat, Amman, Beirut, Jerusalem, Tehran, Karachi, Lahore, Delhi, Mumbai, Bangalore,
        Chennai, Kolkata, Dhaka, Colombo, Kathmandu, Bangkok, Hanoi, Ho Chi Minh City, Singapore, Kuala Lumpur, Jakarta,
        Manila, Taipei, Hong Kong, Shanghai, Beijing, Shenzhen, Chengdu, Seoul, Busan, Tokyo, Osaka, Kyoto, Sapporo,
        Sydney, Melbourne, Brisbane, Perth, Adelaide, Auckland, Wellington, Honolulu, Anchorage, Vancouver, Calgary,
        Edmonton, Winnipeg, Toronto, Ottawa, Montreal, Quebec City, Halifax, Seattle, Portland, San Francisco, Oakland,
        San Jose, Los Angeles, San Diego, Las Vegas, Phoenix, Tucson, Denver, Boulder, Salt Lake City, Boise, Dallas,
        Houston, Austin, San Antonio, New Orleans, Memphis, Nashville, Atlanta, Miami, Orlando, Tampa, Charlotte, Raleigh,
        Washington, Baltimore, Philadelphia, New York, Boston, Buffalo, Pittsburgh, Cleveland, Columbus, Cincinnati,
        Detroit, Chicago, Milwaukee, Minneapolis, Kansas City, St. Louis, Omaha, Mexico City, Guadalajara, Monterrey,
        Havana, Kingston, Panama City, Bogota, Medellin, Quito, Lima, Cusco, La Paz, Santiago, Valparaiso, Buenos Aires,
        Cordoba, Montevideo, Asuncion, Sao Paulo, Rio de Janeiro, Brasilia, Salvador, Recife, Reykjavik, Edinburgh,
        Glasgow, Manchester, Liverpool, Bristol, Leeds, Cardiff, Belfast, Cork, Galway, Bergen, Gothenburg, Aarhus"""),
    "us_city": _cut("""
        San Francisco; CA, Los Angeles; CA, San Diego; CA, Sacramento; CA, Seattle; WA, Spokane; WA, Portland; OR,
        Austin; TX, Dallas; TX, Houston; TX, Denver; CO, Boulder; CO, Phoenix; AZ, Miami; FL, Tampa; FL, Orlando; FL,
        Boston; MA, New York; NY, Buffalo; NY, Chicago; IL, Detroit; MI, Atlanta; GA, Nashville; TN, Memphis; TN,
        Portland; ME, Burlington; VT, Omaha; NE, Boise; ID, Reno; NV, Las Vegas; NV, Tulsa; OK, Charlotte; NC,
        Raleigh; NC, Columbus; OH, Cleveland; OH, Pittsburgh; PA, Philadelphia; PA, Baltimore; MD, Richmond; VA,
        Honolulu; HI, Anchorage; AK, Madison; WI, Milwaukee; WI, Minneapolis; MN, St. Paul; MN, Des Moines; IA"""),
    "country": _cut("""
        France, Germany, Italy, Spain, Portugal, Austria, Poland, Hungary, Greece, Ireland, Norway, Sweden, Finland,
        Denmark, Belgium, Switzerland, Romania, Bulgaria, Serbia, Croatia, Turkey, Georgia, Armenia, Egypt, Morocco,
        Tunisia, Nigeria, Ghana, Senegal, Kenya, Uganda, Ethiopia, Rwanda, South Africa, Qatar, Oman, Jordan, Pakistan,
        India, Bangladesh, Nepal, Thailand, Vietnam, Malaysia, Indonesia, the Philippines, Taiwan, China, South Korea,
        Japan, Australia, New Zealand, Canada, Mexico, Cuba, Jamaica, Panama, Colombia, Ecuador, Peru, Bolivia, Chile,
        Argentina, Uruguay, Paraguay, Brazil, Iceland, Estonia, Latvia, Lithuania, Ukraine, Slovenia, Slovakia"""),
    "first": _cut("""
        Anna, Ben, Carla, David, Elena, Farid, Grace, Hugo, Ines, Jonas, Katya, Liam, Maria, Noah, Olga, Pedro, Quinn,
        Rosa, Samir, Tara, Umar, Vera, Wanda, Xavier, Yuki, Zoe, Amara, Boris, Chen, Dalia, Emeka, Fatima, Gustav, Hana,
        Ivan, Jasmine, Kofi, Lena, Marco, Nadia, Oscar, Priya, Rafael, Sofia, Tomas, Ulla, Viktor, Wei, Yasmin, Zane,
        Alice, Bob, Charlie, Diana, Edward, Fiona, George, Helen, Isaac, Julia, Kevin, Laura, Michael, Nora, Oliver,
        Paula, Robert, Sarah, Thomas, Ursula, Vincent, William, Aisha, Bruno, Camille, Dmitri, Esther, Felix, Greta,
        Hassan, Ingrid, Javier, Kenji, Leila, Mateo, Ngozi, Omar, Petra, Ravi, Simone, Theo, Valentina, Willem, Yara"""),
    "last": _cut("""
        Adler, Becker, Castillo, Diaz, Evans, Fischer, Garcia, Hughes, Ivanov, Jensen, Kim, Lopez, Meyer, Nguyen, Okafor,
        Patel, Quist, Rossi, Silva, Tanaka, Ueda, Vargas, Weber, Xu, Young, Zhang, Andersson, Brown, Chen, Dubois, Eriksen,
        Ferrari, Gupta, Hansen, Ito, Johnson, Kowalski, Larsen, Moreau, Novak, Ortiz, Popescu, Reyes, Schmidt, Torres,
        Usman, Villa, Walker, Yilmaz, Zimmer, Abbott, Bennett, Cooper, Dawson, Ellis, Foster, Grant, Harper, Irving,
        Jacobs, Keller, Lambert, Mercer, Norris, Osborne, Palmer, Quinlan, Ramsey, Sutton, Turner, Underwood, Vaughn"""),
    "company": _cut("""
        Acme Tools, Blue Harbor, Northwind, Contoso Foods, Globex, Initech, Umber Labs, Vertex Media, Silverline, Oakridge,
        Pinecrest Dental, Maple Street Books, Redwood Partners, Summit Logistics, Bright Path, Clearwater Energy, Delta
        Print, Evergreen Gardens, Falcon Air, Granite Bank, Harvest Bakery, Ironworks, Juniper Health, Kite Robotics,
        Lumen Optics, Mosaic Design, Nimbus Cloud, Orchid Travel, Pioneer Paper, Quartz Mining, Riverbend Farms, Stellar
        Toys, Tidewater Shipping, Unity Insurance, Violet Cosmetics, Westwind Cycles, Yellowtail Fish, Zenith Audio"""),
    "product": _cut("""
        desk lamp, office chair, coffee maker, water bottle, running shoes, rain jacket, wool scarf, leather wallet,
        garden hose, paint roller, cordless drill, tool box, hiking boots, camping tent, sleeping bag, yoga mat, bicycle
        helmet, tennis racket, chess board, jigsaw puzzle, picture frame, wall clock, alarm clock, desk fan, space heater,
        air filter, light bulb, extension cord, phone case, laptop stand, wireless mouse, mechanical keyboard, monitor arm,
        webcam, headphones, portable speaker, memory card, printer paper, ink cartridge, notebook, fountain pen, backpack,
        suitcase, umbrella, sunglasses, beach towel, picnic basket, frying pan, chef's knife, cutting board, mixing bowl,
        tea kettle, rice cooker, toaster, blender, dish rack, bath mat, shower curtain, pillow, blanket, bookshelf, rug"""),
    "food": _cut("""
        mushroom risotto, lentil soup, apple pie, chicken curry, beef stew, fish tacos, vegetable lasagna, pumpkin bread,
        potato salad, tomato soup, banana bread, pancakes, omelette, fried rice, noodle soup, dumplings, falafel, hummus,
        pad thai, sushi, ramen, paella, gazpacho, ratatouille, quiche, goulash, borscht, pierogi, moussaka, tiramisu,
        cheesecake, brownies, oatmeal cookies, lemon tart, carrot cake, granola, guacamole, chili, meatballs, gnocchi"""),
    "topic": _cut("""
        solar energy, electric cars, coral reefs, ancient Rome, jazz music, chess openings, remote work, machine learning,
        quantum computing, urban gardening, beekeeping, tax reform, housing prices, sleep quality, vitamin D, space travel,
        black holes, ocean currents, glaciers, wildfires, migration of birds, Roman roads, medieval castles, steam engines,
        railway history, modern art, street photography, film festivals, board games, marathon training, mountain biking,
        rock climbing, sailing, coffee roasting, sourdough, wine regions, cheese making, green tea, recycling, wind farms,
        battery storage, heat pumps, 3D printing, robotics, drones, cyber security, password managers, open source
        licences, unit testing, database indexes, web accessibility, color theory, typography, public speaking, negotiation,
        time management, meditation, first aid, allergies, hearing loss, dental care, dog training, cat behaviour, aquariums,
        bonsai trees, orchids, composting, rainwater harvesting, tiny houses, timber framing, stained glass, pottery"""),
    "book": _cut("""
        The Silent Harbor, A Winter's Road, The Glass Orchard, Letters from Kestrel, The Ninth Lantern, Salt and Cedar,
        The Clockmaker's Son, Blue Mountain, The Last Ferry, Paper Boats, The Map of Rain, Under the Elm, Night Train
        North, The Copper Key, A Field of Stars, The Weaver's Song, Stone Bridge, The Empty Chair, Riverlight, The Fox
        Season, Seven Doors, The Quiet Year, Ash and Honey, The Painted Room, Northern Light, The Lighthouse Diaries"""),
    "song": _cut("""
        Midnight Rain, Golden Hour, Paper Moon, River Song, Electric Sky, Slow Morning, Velvet Road, Silver Lining, Lost
        Highway, Ocean Drive, Broken Compass, Summer Static, Hollow Hills, Neon Garden, Dancing Alone, Heart of Glass
        Towers, Winter Sun, Cold Coffee, Open Windows, Wild Geese, Falling Slowly Again, Blue Avenue, City of Wires"""),
    "language": _cut("""
        French, German, Spanish, Italian, Portuguese, Dutch, Swedish, Danish, Polish, Czech, Greek, Turkish, Arabic,
        Hebrew, Hindi, Bengali, Thai, Vietnamese, Korean, Japanese, Chinese, Russian, Ukrainian, Finnish, Hungarian"""),
    "currency": _cut("""
        USD, EUR, GBP, JPY, CHF, CAD, AUD, NZD, SEK, NOK, DKK, PLN, CZK, HUF, TRY, ILS, INR, CNY, KRW, THB, MXN, BRL, ZAR"""),
    "ticker": _cut("""
        AAPL, MSFT, GOOG, AMZN, TSLA, NVDA, META, NFLX, INTC, AMD, IBM, ORCL, CSCO, QCOM, ADBE, CRM, UBER, DIS, NKE, KO,
        PEP, MCD, SBUX, WMT, TGT, COST, HD, LOW, F, GM, BA, CAT, DE, GE, MMM, JNJ, PFE, MRK, JPM, GS, BAC, V, MA, PYPL, T"""),
    "color": _cut("""
        red, green, blue, yellow, orange, purple, pink, brown, black, white, gray, teal, navy, maroon, olive, silver, gold,
        beige, coral, indigo, violet, turquoise, lavender, crimson"""),
    "department": _cut("""
        sales, marketing, finance, engineering, design, legal, support, operations, research, logistics, purchasing, human
        resources, security, facilities, training, quality, communications, accounting"""),
    "tag": _cut("""
        urgent, home, work, travel, family, ideas, reading, health, garden, budget, school, project, follow-up, personal,
        archive, waiting, shopping, music, recipes, fitness, billing, onboarding, hiring, launch, backend, frontend, bug,
        docs, review, customer, internal, draft, final, spring, summer, autumn, winter, weekly, monthly"""),
    "street": _cut("""
        Oak Street, Maple Avenue, High Street, Station Road, Church Lane, Mill Road, Park Avenue, King Street, Queen
        Street, Bridge Road, River Lane, Hill Street, Garden Row, Market Square, Elm Drive, Cedar Court, Lake View, North
        Road, Willow Way, Chestnut Street, Harbor Road, Sunset Boulevard, Broadway, Forest Drive, Orchard Road"""),
    "animal": _cut("""
        dog, cat, horse, rabbit, parrot, turtle, goat, sheep, cow, duck, goose, hamster, owl, fox, wolf, bear, otter,
        beaver, deer, moose, falcon, eagle, penguin, dolphin, whale, seal, octopus, lizard, snake, frog, bee, butterfly"""),
    "adjective": _cut("""
        quick, quiet, bright, small, large, old, new, simple, careful, formal, friendly, short, long, final, early, late,
        annual, weekly, monthly, internal, public, private, shared, main, second, open, closed, regional, seasonal"""),
    "syllable": _cut("""
        ba, be, bo, ca, ce, co, da, do, du, fa, fi, go, gu, ha, ho, ja, jo, ka, ki, ko, la, le, lo, lu, ma, mi, mo, na,
        ne, no, pa, pi, po, qua, ra, re, ri, ro, sa, se, so, ta, te, to, va, ve, vi, vo, wa, xa, xi, ya, yo, za, ze, zo,
        brin, crel, dax, flim, gorn, hask, jund, kelp, lort, munt, nesh, plim, quor, rast, skel, trin, vark, welt, yorn"""),
    "sentence_subject": _cut("""
        The meeting, The delivery, The train, My flight, The report, The contract, The repair, The invoice, The workshop,
        The interview, Dinner, The rehearsal, The inspection, The order, The package, The class, The game, The call"""),
    "sentence_rest": _cut("""
        has moved to Thursday, will be an hour late, is ready for review, starts at nine, was cancelled this morning, needs
        one more signature, went better than expected, is on its way, has been approved, must be finished by Friday, is in
        room 204, was a great success, will take two days, is still missing, looks good to me, cannot wait any longer"""),
    "user_word": _cut("""
        tiger, rocket, maple, pixel, comet, raven, lemon, cobalt, ember, willow, falcon, onyx, pepper, quartz, saffron,
        thunder, velvet, walnut, zephyr, anchor, birch, cinder, dune, echo, frost, glider, harbor, iris, jasper, kite"""),
    "domain_word": _cut("""
        example, mailbox, northwind, acme, post, inbox, contoso, globex, fastmail, webmail, company, studio, office, team,
        school, clinic, bakery, garden, city, museum, library, market, orchard, summit, harbor, river"""),
    "tld": _cut("com, org, net, io, dev, co, eu, info"),
    "file_word": _cut("""
        report, budget, notes, invoice, plan, summary, draft, schedule, contract, photo, logo, data, results, minutes,
        agenda, letter, resume, thesis, chapter, survey, inventory, backup, config, readme, changelog, slides, poster"""),
    "extension": _cut("pdf, txt, docx, csv, xlsx, png, jpg, md, json, yaml, zip, html, py, log, pptx, svg"),
    "folder": _cut("""
        documents, projects, downloads, archive, shared, photos, clients, src, reports, backup, public, work, home, data,
        tmp, music, exports, 2024, 2025, drafts"""),
    "brand_word": _cut("""
        crm, erp, hr, shop, api, cloud, desk, hub, kit, lab, ops, pay, team, home, city, app, my, pro, smart, core, data"""),
}
