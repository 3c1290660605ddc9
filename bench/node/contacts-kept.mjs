// What the MongoDB-wire server holds at the end of a round of `bench contacts`: [[id, subject], …] in one line of JSON.
import mongoose from "mongoose";

const { connection } = await mongoose.connect(process.env.MONGODB_URI);
const all = await connection.collection("contacts").find({}, { projection: { subject: 1 } }).toArray();
process.stdout.write(`${JSON.stringify(all.map(({ _id, subject }) => [String(_id), subject]))}\n`, () => process.exit(0));
