"""Invented statements about people and things, and the questions that they answer.

Facts can be learnt by heart; that Anna lives in Oslo cannot, so these teach the model to compare a question with a text.
A leading `~` marks a wording that is held out. Subjects whose checksum is divisible by eight appear in the evaluation only.
"""

import zlib
from dataclasses import dataclass

import meanings  # noqa: F401  (puts the chat recipe on the path)
import facts
import phrases
import tables


@dataclass(frozen=True)
class Relation:
    """A property of a subject {n} with a value {v}: how it is asked for, how its bearer is asked for, how it is told."""

    name: str
    values: tuple
    asks: tuple
    bearers: tuple
    tells: tuple


@dataclass(frozen=True)
class Statement:
    relation: Relation
    subject: str
    # All wordings of the value.
    value: tuple


def _articles(words):
    return [meanings.article(word) for word in words]


DRINKS = "coffee, green tea, black tea, milk, lemonade, orange juice, apple juice, hot chocolate, mineral water, cider".split(", ")
JOURNEYS = "by bus, by train, by bicycle, by car, on foot, by tram, by boat, by taxi, by plane, on a motorbike".split(", ")
PRICES = [f"{number} euros" for number in (5, 8, 12, 20, 25, 40, 60, 75, 90, 150, 300, 900)]
AGES = [f"{number} years" for number in range(4, 95, 3)]
VALUES = {
    "city": facts.CITIES, "job": _articles(facts.JOBS), "food": facts.FOODS, "colour": facts.COLOURS, "hobby": facts.HOBBIES, "pet": _articles(facts.PETS),
    "pet name": facts.PET_NAMES, "month": facts.MONTHS, "day": facts.DAYS, "name": facts.FIRST_NAMES, "drink": DRINKS, "journey": JOURNEYS, "price": PRICES, "age": AGES,
    "language": sorted({row[3] for row in facts.COUNTRIES if row[3]}), "thing": _articles(facts.THINGS),
}

# name | values | asked for by its subject | asked for by its value | told
PEOPLE = """
home | city | Where does {n} live? / In which city does {n} live? / What city is the home of {n}? / ~Which town does {n} live in? / ~Do you know where {n} lives? | Who lives in {v}? / Which person has a home in {v}? / ~Whose home is in {v}? | {n} lives in {v}. / {n} has a flat in {v}. / The home of {n} is in {v}.
work | job | What does {n} do for a living? / What is {n}'s job? / What work does {n} do? / ~Which job does {n} have? / ~What kind of work does {n} do? | Who is {v}? / Which person works as {v}? / ~Who earns money as {v}? | {n} is {v}. / {n} works as {v}. / {n} has a job as {v}.
food | food | What does {n} like to eat? / What is {n}'s favourite food? / Which food does {n} like best? / ~What would {n} like for dinner? / ~Which food is {n}'s favourite? | Who likes {v}? / Who likes to eat {v}? / ~Whose favourite food is {v}? | {n} likes to eat {v}. / The favourite food of {n} is {v}. / {n} loves {v}.
drink | drink | What does {n} drink? / Which drink does {n} like? / What does {n} want to drink? / ~What is {n} drinking? | Who drinks {v}? / Who wants {v} to drink? / ~Who is drinking {v}? | {n} drinks {v} in the morning. / {n} wants to drink {v}. / The favourite drink of {n} is {v}.
colour | colour | What is {n}'s favourite colour? / Which colour does {n} like? / Which color does {n} like best? / ~What colour does {n} love? | Who likes the colour {v}? / Whose favourite colour is {v}? / ~Who loves {v} as a colour? | The favourite colour of {n} is {v}. / {n} likes the colour {v}.
hobby | hobby | What is {n}'s hobby? / What does {n} do in the free time? / Which hobby does {n} have? / ~How does {n} spend the weekend? | Whose hobby is {v}? / Who likes {v} as a hobby? / ~Who spends the weekend with {v}? | The hobby of {n} is {v}. / {n} enjoys {v}. / In the free time {n} likes {v}.
pet | pet | What pet does {n} have? / Which animal does {n} keep? / What kind of pet does {n} own? / ~Which pet lives with {n}? | Who has {v}? / Who keeps {v} as a pet? / ~Which person owns {v}? | {n} has {v}. / {n} keeps {v} at home. / The pet of {n} is {v}.
pet name | pet name | What is the name of {n}'s pet? / What is {n}'s pet called? / How is {n}'s pet named? / ~Which name did {n} give to the pet? | Whose pet is called {v}? / Who has a pet named {v}? / ~Which owner calls the pet {v}? | {n}'s pet is called {v}. / The pet of {n} has the name {v}. / {n} named the pet {v}.
birthday | month | When is {n}'s birthday? / In which month was {n} born? / In what month is the birthday of {n}? / ~What month was {n} born in? | Who was born in {v}? / Whose birthday is in {v}? / ~Who has a birthday in {v}? | {n} was born in {v}. / The birthday of {n} is in {v}.
age | age | How old is {n}? / What is the age of {n}? / What is {n}'s age? / ~How many years old is {n}? | Who is {v} old? / ~Which person is {v} old? | {n} is {v} old. / The age of {n} is {v}.
sister | name | Who is the sister of {n}? / What is the name of {n}'s sister? / ~How is the sister of {n} called? | Who has a sister named {v}? / ~Whose sister is {v}? | The sister of {n} is {v}. / {n} has a sister named {v}.
friend | name | Who is {n}'s best friend? / What is the best friend of {n} called? / ~Tell me the name of {n}'s best friend. | Whose best friend is {v}? / ~Who has {v} as best friend? | The best friend of {n} is {v}. / {v} is {n}'s best friend.
language | language | Which language does {n} learn? / What language does {n} study? / ~What language is {n} learning? | Who learns {v}? / Who studies {v}? / ~Which student takes {v} lessons? | {n} learns {v}. / {n} studies {v} at school. / {n} takes lessons in {v}.
journey | journey | How does {n} get to work? / How does {n} travel? / ~In what way does {n} go to work? | Who goes to work {v}? / Who travels {v}? / ~Who gets to work {v}? | {n} goes to work {v}. / {n} travels {v}.
visit | city | Which city did {n} visit? / Where did {n} go on holiday? / ~To which town did {n} travel last summer? | Who visited {v}? / Who went to {v} on holiday? / ~Who spent the holiday in {v}? | {n} visited {v}. / {n} went to {v} on holiday. / Last summer {n} travelled to {v}.
purchase | thing | What did {n} buy? / What has {n} bought? / ~What did {n} get at the shop? | Who bought {v}? / Who has bought {v}? / ~Who got {v} at the shop? | {n} bought {v}. / {n} paid for {v} at the shop.
lesson | day | On which day does {n} have a lesson? / When is the lesson of {n}? / ~What day is {n}'s lesson? | Who has a lesson on {v}? / Whose lesson is on {v}? / ~Who must go to a lesson on {v}? | {n} has a lesson on {v}. / The lesson of {n} is on {v}.
"""
THINGS = """
place | place | Where is {n}? / Where can I find {n}? / Where did you put {n}? / ~In what place is {n}? / ~Do you know where {n} is? | What is {v}? / What can I find {v}? / ~Which thing is {v}? | {n} is {v}. / You find {n} {v}. / I put {n} {v}.
owner | name | Who owns {n}? / To whom does {n} belong? / Whose is {n}? / ~Who is the owner of {n}? | What belongs to {v}? / What does {v} own? / ~Which thing belongs to {v}? | {n} belongs to {v}. / {v} owns {n}. / {v} is the owner of {n}.
price | price | How much is {n}? / What does {n} cost? / What is the price of {n}? / ~How much must I pay for {n}? | What costs {v}? / ~Which thing has a price of {v}? | {n} costs {v}. / The price of {n} is {v}.
origin | city | Where does {n} come from? / Where was {n} made? / ~In which town was {n} made? | What comes from {v}? / What was made in {v}? / ~Which thing was made in {v}? | {n} comes from {v}. / {n} was made in {v}.
buyer | name | Who bought {n}? / Who paid for {n}? / ~Which person has bought {n}? | What did {v} buy? / ~Which thing has {v} paid for? | {v} bought {n}. / {n} was bought by {v}.
"""


def _relations(text):
    out = []
    for line in text.strip().splitlines():
        name, values, asks, bearers, tells = (part.strip() for part in line.split(" | "))
        words = tables.PLACES if values == "place" else [(value,) for value in VALUES[values]]
        out.append(Relation(name, tuple(tuple(dict.fromkeys(w)) for w in words), *(tuple(t.split(" / ")) for t in (asks, bearers, tells))))
    return out


PERSON_RELATIONS, THING_RELATIONS = _relations(PEOPLE), _relations(THINGS)
PERSONS = facts.FIRST_NAMES
OBJECTS = [f"the {adjective} {thing}" for adjective in facts.ADJECTIVES for thing in facts.THINGS]


def is_held_out(subject):
    return zlib.crc32(subject.lower().encode()) % 8 == 0


class Statements:
    """A seeded source of statements; with `held` of subjects and wordings that training never sees."""

    def __init__(self, rng, held=False):
        self.rng = rng
        self.held = held
        self.persons = [s for s in PERSONS if is_held_out(s) == held]
        self.objects = [s for s in OBJECTS if is_held_out(s) == held]

    def draw(self, relation=None, subject=None):
        r = self.rng
        person = subject in PERSONS if subject else relation in PERSON_RELATIONS if relation else r.random() < 0.75
        relation = relation or r.choice(PERSON_RELATIONS if person else THING_RELATIONS)
        subject = subject or r.choice(self.persons if person else self.objects)
        while (value := r.choice(relation.values)) == (subject,):
            pass
        return Statement(relation, subject, value)

    def ask(self, statement):
        """A question that the statement answers, and whether it names the subject (else it names the value)."""
        by_subject = self.rng.random() < 0.7
        templates = statement.relation.asks if by_subject else statement.relation.bearers
        return self._fill(phrases.choose(self.rng, templates, self.held), statement), by_subject

    def tell(self, statement):
        return self._fill(self.rng.choice(statement.relation.tells), statement)

    def near(self, statement, by_subject):
        """A statement much like this one that does not answer the question."""
        r = self.rng
        while True:
            kind = r.random()
            if kind < 0.4:
                other = self.draw(subject=statement.subject)
            elif kind < 0.75:
                other = self.draw(statement.relation)
            elif kind < 0.9 and by_subject:
                other = Statement(statement.relation, self.draw(statement.relation).subject, statement.value)
            else:
                other = self.draw()
            if not answers(other, statement, by_subject):
                return other

    def _fill(self, template, statement):
        return meanings.cap(template.replace("{n}", statement.subject).replace("{v}", self.rng.choice(statement.value)))


def answers(other, asked, by_subject):
    """Whether `other` answers the question for `asked`. A purchase of a person and the buyer of a thing are one relation told twice."""
    alike = other.relation == asked.relation or {other.relation.name, asked.relation.name} == {"purchase", "buyer"}
    if by_subject:
        return alike and (other.subject == asked.subject or asked.subject in other.value or other.relation != asked.relation)
    return alike and (other.value == asked.value or other.subject in asked.value or other.relation != asked.relation)
